"""What happens is written down with it, and told once: to every webhook by itself, again until it is heard."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core import mail as outbox
from django.utils import timezone

from integrations import errors
from notifications import delivering
from notifications.models import Delivery, Notification, NotificationKind, Webhook
from notifications.outbox import announce
from notifications.sending import NotSent
from notifications.signature import signature
from operations import integration_actions
from sync.jobs import housekeeping
from sync.jobs.pruning import prune
from tests.actors import ADMIN
from tests.mails import mail
from tests.sync.world import World

SECRET = "a secret of sixteen or more"


@pytest.fixture
def world(db):
    return World()


@pytest.fixture
def hook(db):
    return Webhook.objects.create(url="https://hooks.example/in", secret=SECRET)


def told():
    return list(Notification.objects.order_by("created_at").values_list("kind", flat=True))


def failing(world, error):
    """Every sync of this world fails with this error, until it is taken back."""

    class Refusing:
        def __init__(self, source):
            self._source = source

        def __enter__(self):
            return self

        def __exit__(self, *error):
            return None

        def folders(self, after):
            raise error

    world.wrap = lambda port, it: Refusing(it) if port == "source" else it


def test_a_mailbox_that_is_disabled_and_one_that_recovers_are_told_once_each(world: World, settings, hook):
    settings.DISABLE_AFTER = timedelta(0)
    desk = world.mailbox()
    failing(world, errors.MailboxNotFound("gone"))
    world.sync(desk)
    world.clock.turn(days=4)
    desk.refresh_from_db()
    if desk.enabled:
        world.sync(desk)
    assert told() == [NotificationKind.MAILBOX_DISABLED]
    world.wrap = lambda port, it: it
    type(desk).objects.update(enabled=True, disabled_reason="", disabled_detail="")
    world.sync(desk)
    world.sync(desk)
    assert told() == [NotificationKind.MAILBOX_DISABLED, NotificationKind.MAILBOX_RECOVERED]
    assert Delivery.objects.count() == 2


def test_an_integration_that_is_disabled_and_recovers_is_told_once_for_all_its_mailboxes(world: World, settings, hook):
    settings.DISABLE_AFTER = timedelta(0)
    desk, _ = world.mailbox("desk@bank.example"), world.mailbox("sales@bank.example")
    failing(world, errors.SignInRefused())
    for _ in range(3):
        desk.refresh_from_db()
        if desk.integration.enabled:
            world.sync(desk)
        world.clock.turn(days=4)
        desk.integration.refresh_from_db()
    assert told() == [NotificationKind.INTEGRATION_DISABLED]
    notice = Notification.objects.get()
    assert (notice.integration_id, notice.mailbox_id) == (desk.integration_id, None)
    world.wrap = lambda port, it: it
    integration_actions.start(ADMIN, desk.integration)
    desk.refresh_from_db()
    world.sync(desk)
    world.sync(desk)
    assert told() == [NotificationKind.INTEGRATION_DISABLED, NotificationKind.INTEGRATION_RECOVERED]


def test_many_mailboxes_that_stop_for_one_cause_are_one_notice_that_counts_them_and_one_recovery(
    world: World, settings, hook
):
    settings.DISABLE_AFTER = timedelta(0)
    desks = [world.mailbox(f"desk{number}@bank.example") for number in range(12)]
    failing(world, errors.AccessDenied())
    for _ in range(2):
        for desk in desks:
            desk.refresh_from_db()
            if desk.enabled:
                world.sync(desk)
        world.clock.turn(days=4)
    notice = Notification.objects.get()
    assert (notice.kind, notice.facts["mailboxes"]) == (NotificationKind.MAILBOX_DISABLED, 12)
    assert "11" in notice.text
    assert Delivery.objects.count() == 1
    world.wrap = lambda port, it: it
    type(desks[0]).objects.update(enabled=True, disabled_reason="", disabled_detail="")
    for desk in desks[:-1]:
        world.sync(desk)
    assert told() == [NotificationKind.MAILBOX_DISABLED], "one of them still stands still"
    world.sync(desks[-1])
    assert told() == [NotificationKind.MAILBOX_DISABLED, NotificationKind.MAILBOX_RECOVERED]
    assert "12" in Notification.objects.order_by("created_at").last().text


def test_emails_that_are_set_aside_are_told_with_their_number_and_without_their_content(world: World, hook):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    for name in "ab":
        item = box.deliver(mail(name, subject="Nobody may read this"))
        box.folder("Inbox").items[item].fault = "ErrorMimeContentConversionFailed"
    world.sync(desk)
    assert told() == [NotificationKind.EMAIL_SET_ASIDE]
    notice = Notification.objects.get()
    assert notice.facts == {"emails": 2}
    assert "Nobody may read this" not in json.dumps(delivering.as_json(notice))
    world.sync(desk)
    assert told() == [NotificationKind.EMAIL_SET_ASIDE]


def test_a_budget_that_is_reached_is_told_once_for_all_its_mailboxes(world: World, hook):
    desk, sales = world.mailbox("desk@bank.example"), world.mailbox("sales@bank.example")
    type(desk.bucket).objects.update(monthly_limit=0)
    world.sync(desk)
    notice = Notification.objects.get()
    assert (notice.kind, notice.facts["mailboxes"]) == (NotificationKind.BUDGET_REACHED, 2)
    assert sales.address not in notice.text


def test_a_notice_is_signed_so_that_its_receiver_can_check_it(hook):
    announce(NotificationKind.MAILBOX_DISABLED, "desk stopped.", mailbox_id=1)
    sent = []
    now = timezone.now()
    assert delivering.deliver(hook.pk, now, lambda *given: sent.append(given)) == 1
    ((url, body, headers),) = sent
    assert url == hook.url
    assert headers["X-Signature"] == signature(SECRET, body, int(now.timestamp()))
    assert json.loads(body)["id"] == headers["X-Notice-Id"]
    assert SECRET not in body.decode() + str(headers)
    assert delivering.deliver(hook.pk, now, lambda *given: sent.append(given)) == 0


def test_a_webhook_that_fails_is_asked_again_with_growing_waits_and_given_up_after_days(hook):
    def refuse(*_):
        raise NotSent("HTTP 500")

    announce(NotificationKind.MAILBOX_DISABLED, "desk stopped.")
    now, waits = timezone.now(), []
    for _ in range(30):
        delivering.deliver(hook.pk, now, refuse)
        row = Delivery.objects.get()
        if row.next_at is None:
            break
        waits.append(row.next_at - now)
        now = row.next_at
    assert waits[:4] == [timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=4), timedelta(minutes=8)]
    assert max(waits) == timedelta(hours=6)
    assert (row.next_at, row.delivered_at, row.last_problem) == (None, None, "HTTP 500")
    assert now - row.notice.created_at > timedelta(days=3)


def test_one_webhook_that_fails_delays_no_other(hook):
    other = Webhook.objects.create(
        url="https://other.example/", secret=SECRET, events=[NotificationKind.BUDGET_REACHED]
    )
    announce(NotificationKind.BUDGET_REACHED, "used up")
    announce(NotificationKind.MAILBOX_DISABLED, "stopped")

    def post(url, *_):
        if url == hook.url:
            raise NotSent("no answer")

    now = timezone.now()
    assert {pk: delivering.deliver(pk, now, post) for pk in delivering.due_webhooks(now)} == {hook.pk: 0, other.pk: 1}
    assert set(delivering.due_webhooks(now + timedelta(minutes=2))) == {hook.pk}


def test_what_a_worker_had_in_hand_when_it_died_is_sent_by_another(hook):
    announce(NotificationKind.BUDGET_REACHED, "used up")
    now = timezone.now()

    def die(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        delivering.deliver(hook.pk, now, die)
    assert delivering.deliver(hook.pk, now, lambda *_: None) == 0
    assert delivering.deliver(hook.pk, now + timedelta(minutes=11), lambda *_: None) == 1


def test_notices_go_by_mail_to_who_wants_them(db, settings):
    settings.NOTICES_MAIL_TO = ["admin@bank.example"]
    announce(NotificationKind.BUDGET_REACHED, "The budget is used up.")
    assert delivering.deliver(None, timezone.now()) == 1
    (message,) = outbox.outbox
    assert (message.to, message.body) == (["admin@bank.example"], "The budget is used up.")


def test_old_notices_are_forgotten_and_open_ones_are_not(db):
    announce(NotificationKind.BUDGET_REACHED, "old")
    announce(NotificationKind.MAILBOX_DISABLED, "open", mailbox_id=1, integration_id=1)
    prune(lambda: timezone.now() + timedelta(days=400))
    assert told() == [NotificationKind.MAILBOX_DISABLED]


def test_a_notice_about_mailboxes_that_are_deleted_while_they_stand_still_closes(world: World, settings, hook):
    settings.DISABLE_AFTER = timedelta(0)
    desks = [world.mailbox(f"desk{number}@bank.example") for number in range(3)]
    failing(world, errors.AccessDenied())
    for _ in range(2):
        for desk in desks:
            desk.refresh_from_db()
            if desk.enabled:
                world.sync(desk)
        world.clock.turn(days=4)
    world.wrap = lambda port, it: it
    type(desks[0]).objects.update(enabled=True, disabled_reason="", disabled_detail="")
    desks[2].delete()
    housekeeping.look(world.clock)
    assert Notification.objects.get().facts["mailboxes"] == 2
    world.sync(desks[0])
    assert told() == [NotificationKind.MAILBOX_DISABLED], "one of them still stands still"
    desks[1].delete()
    housekeeping.look(world.clock)
    assert told() == [NotificationKind.MAILBOX_DISABLED, NotificationKind.MAILBOX_RECOVERED], (
        "the one that is left syncs again"
    )
    assert not Notification.objects.filter(open=True).exists()


def test_a_notice_about_a_deleted_integration_closes_and_nothing_recovers(world: World, settings, hook):
    settings.DISABLE_AFTER = timedelta(0)
    desk = world.mailbox()
    failing(world, errors.SignInRefused())
    world.sync(desk)
    world.clock.turn(days=4)
    world.sync(desk)
    assert told() == [NotificationKind.INTEGRATION_DISABLED]
    housekeeping.look(world.clock)
    assert Notification.objects.get().open
    world.integration.delete()
    housekeeping.look(world.clock)
    assert told() == [NotificationKind.INTEGRATION_DISABLED]
    assert not Notification.objects.get().open


def with_refused_folders(world, address, *names):
    desk = world.mailbox(address)
    box = world.mailboxes[address]
    for name in names:
        box.create_folder(name)
        box.forbid_folder(name)
    return desk, box


def test_folders_that_are_left_out_are_told_once_and_their_recovery_too(world: World, hook):
    desk, box = with_refused_folders(world, "desk@bank.example", "Claims", "Trades")
    for _ in range(3):
        world.sync(desk)
        world.clock.turn(days=1)
    (notice,) = Notification.objects.all()
    assert (notice.kind, notice.facts["folders"], notice.mailbox_id) == (NotificationKind.FOLDER_LEFT_OUT, 2, desk.pk)
    box.permit_folder("Claims")
    world.sync(desk)
    assert told() == [NotificationKind.FOLDER_LEFT_OUT]
    box.permit_folder("Trades")
    world.clock.turn(days=1)
    world.sync(desk)
    world.sync(desk)
    assert told() == [NotificationKind.FOLDER_LEFT_OUT, NotificationKind.FOLDER_RECOVERED]
    assert Delivery.objects.count() == 2


def test_a_right_that_many_mailboxes_lose_at_once_is_one_notice_and_one_recovery(world: World, hook):
    boxes = [with_refused_folders(world, f"desk{number}@bank.example", "Claims")[1] for number in range(5)]
    world.sync_all()
    (notice,) = Notification.objects.all()
    assert (notice.facts["mailboxes"], notice.facts["folders"], Delivery.objects.count()) == (5, 5, 1)
    for box in boxes:
        assert told() == [NotificationKind.FOLDER_LEFT_OUT]
        box.permit_folder("Claims")
        world.clock.turn(days=1)
        world.sync_all()
    assert told() == [NotificationKind.FOLDER_LEFT_OUT, NotificationKind.FOLDER_RECOVERED]
    assert Notification.objects.get(kind=NotificationKind.FOLDER_RECOVERED).facts["mailboxes"] == 5


def test_another_folder_that_is_left_out_later_is_told_and_the_recovery_of_both_once(world: World, hook):
    desk, box = with_refused_folders(world, "desk@bank.example", "Claims")
    world.sync(desk)
    Notification.objects.update(created_at=timezone.now() - timedelta(hours=1))
    box.create_folder("Trades")
    box.forbid_folder("Trades")
    world.sync(desk)
    assert told() == [NotificationKind.FOLDER_LEFT_OUT] * 2
    for name in ("Claims", "Trades"):
        box.permit_folder(name)
    world.clock.turn(days=1)
    world.sync(desk)
    assert told() == [
        NotificationKind.FOLDER_LEFT_OUT,
        NotificationKind.FOLDER_LEFT_OUT,
        NotificationKind.FOLDER_RECOVERED,
    ]
    assert not Notification.objects.filter(open=True).exists()


def test_a_mailbox_of_which_every_folder_is_refused_is_not_told_as_one_that_lacks_a_folder(world: World, hook):
    desk = world.mailbox()
    for entry in world.mailboxes[desk.address].folders.values():
        entry.forbidden = True
    world.sync(desk)
    assert told() == []


@pytest.mark.wording
def test_a_notice_of_folders_that_are_left_out_says_how_many_and_why_and_what_to_do(world: World):
    desk, box = with_refused_folders(world, "desk@bank.example", "Claims", "Trades")
    world.sync(desk)
    (notice,) = Notification.objects.all()
    assert notice.text.startswith("2 folders of desk@bank.example cannot be read and are left out. ")
    assert str(errors.FolderRefused("ErrorAccessDenied")) in notice.text
    other, _ = with_refused_folders(world, "other@bank.example", "Claims")
    world.sync(other)
    assert Notification.objects.get().text.startswith("3 folders of 2 mailboxes cannot be read and are left out. ")
    box.permit_folder("Claims")
    world.clock.turn(days=1)
    world.sync(desk)
    assert Notification.objects.count() == 1
