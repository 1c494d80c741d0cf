"""Notifications: each event is announced once, and each notification is delivered by webhook and email, with retries."""

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


def kinds():
    """Return the kinds of all stored notifications, the oldest first."""
    return list(Notification.objects.order_by("created_at").values_list("kind", flat=True))


def failing(world, error):
    """Let every sync of this world fail with this error until `world.wrap` is reset."""

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


def fail_until_disabled(world, desks):
    """Sync these mailboxes without access to Exchange until the error disables each of them."""
    failing(world, errors.AccessDenied())
    for _ in range(2):
        for desk in desks:
            desk.refresh_from_db()
            if desk.enabled:
                world.sync(desk)
        world.clock.turn(days=4)


def test_a_disabled_mailbox_and_its_recovery_cause_one_notification_each(world: World, settings, hook):
    settings.DISABLE_AFTER = timedelta(0)
    desk = world.mailbox()
    failing(world, errors.MailboxNotFound("gone"))
    world.sync(desk)
    world.clock.turn(days=4)
    desk.refresh_from_db()
    if desk.enabled:
        world.sync(desk)
    assert kinds() == [NotificationKind.MAILBOX_DISABLED]
    world.wrap = lambda port, it: it
    type(desk).objects.update(enabled=True, disabled_reason="", disabled_detail="")
    world.sync(desk)
    world.sync(desk)
    assert kinds() == [NotificationKind.MAILBOX_DISABLED, NotificationKind.MAILBOX_RECOVERED]
    assert Delivery.objects.count() == 2


def test_a_disabled_integration_and_its_recovery_cause_one_notification_each_for_all_mailboxes(
    world: World, settings, hook
):
    settings.DISABLE_AFTER = timedelta(0)
    desk, _ = world.mailbox("desk@bank.example"), world.mailbox("sales@bank.example")
    failing(world, errors.SignInRefused())
    for _ in range(3):
        desk.refresh_from_db()
        if desk.integration.enabled:
            world.sync(desk)
        world.clock.turn(days=4)
        desk.integration.refresh_from_db()
    assert kinds() == [NotificationKind.INTEGRATION_DISABLED]
    notification = Notification.objects.get()
    assert (notification.integration_id, notification.mailbox_id) == (desk.integration_id, None)
    world.wrap = lambda port, it: it
    integration_actions.start(ADMIN, desk.integration)
    desk.refresh_from_db()
    world.sync(desk)
    world.sync(desk)
    assert kinds() == [NotificationKind.INTEGRATION_DISABLED, NotificationKind.INTEGRATION_RECOVERED]


def test_many_mailboxes_that_stop_for_one_cause_share_one_notification_and_one_recovery(world: World, settings, hook):
    settings.DISABLE_AFTER = timedelta(0)
    desks = [world.mailbox(f"desk{number}@bank.example") for number in range(12)]
    fail_until_disabled(world, desks)
    notification = Notification.objects.get()
    assert (notification.kind, notification.facts["mailboxes"]) == (NotificationKind.MAILBOX_DISABLED, 12)
    assert "11" in notification.text
    assert Delivery.objects.count() == 1
    world.wrap = lambda port, it: it
    type(desks[0]).objects.update(enabled=True, disabled_reason="", disabled_detail="")
    for desk in desks[:-1]:
        world.sync(desk)
    assert kinds() == [NotificationKind.MAILBOX_DISABLED], "one of the mailboxes is still stopped"
    world.sync(desks[-1])
    assert kinds() == [NotificationKind.MAILBOX_DISABLED, NotificationKind.MAILBOX_RECOVERED]
    assert "12" in Notification.objects.order_by("created_at").last().text


def test_the_notification_about_failed_emails_has_their_number_and_not_their_content(world: World, hook):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    for name in "ab":
        item = box.deliver(mail(name, subject="Nobody may read this"))
        box.folder("Inbox").items[item].fault = "ErrorMimeContentConversionFailed"
    world.sync(desk)
    assert kinds() == [NotificationKind.EMAIL_SET_ASIDE]
    notification = Notification.objects.get()
    assert notification.facts == {"emails": 2}
    assert "Nobody may read this" not in json.dumps(delivering.as_json(notification))
    world.sync(desk)
    assert kinds() == [NotificationKind.EMAIL_SET_ASIDE]


def test_a_reached_limit_of_ai_units_causes_one_notification_for_all_mailboxes(world: World, hook):
    desk, sales = world.mailbox("desk@bank.example"), world.mailbox("sales@bank.example")
    type(desk.bucket).objects.update(monthly_limit=0)
    world.sync(desk)
    notification = Notification.objects.get()
    assert (notification.kind, notification.facts["mailboxes"]) == (NotificationKind.BUDGET_REACHED, 2)
    assert sales.address not in notification.text


def test_a_notification_is_signed(hook):
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


def test_a_failed_delivery_is_retried_with_growing_waits_and_given_up_after_three_days(hook):
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


def test_a_failing_webhook_delays_no_other(hook):
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


def test_the_deliveries_of_a_killed_worker_are_sent_later(hook):
    announce(NotificationKind.BUDGET_REACHED, "used up")
    now = timezone.now()

    def die(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        delivering.deliver(hook.pk, now, die)
    assert delivering.deliver(hook.pk, now, lambda *_: None) == 0
    assert delivering.deliver(hook.pk, now + timedelta(minutes=11), lambda *_: None) == 1


def test_notifications_are_sent_by_email(db, settings):
    settings.NOTICES_MAIL_TO = ["admin@bank.example"]
    announce(NotificationKind.BUDGET_REACHED, "The budget is used up.")
    assert delivering.deliver(None, timezone.now()) == 1
    (message,) = outbox.outbox
    assert (message.to, message.body) == (["admin@bank.example"], "The budget is used up.")


def test_old_notifications_are_deleted_unless_they_are_open(db):
    announce(NotificationKind.BUDGET_REACHED, "old")
    announce(NotificationKind.MAILBOX_DISABLED, "open", mailbox_id=1, integration_id=1)
    prune(lambda: timezone.now() + timedelta(days=400))
    assert kinds() == [NotificationKind.MAILBOX_DISABLED]


def test_a_notification_closes_when_its_stopped_mailboxes_are_deleted(world: World, settings, hook):
    settings.DISABLE_AFTER = timedelta(0)
    desks = [world.mailbox(f"desk{number}@bank.example") for number in range(3)]
    fail_until_disabled(world, desks)
    world.wrap = lambda port, it: it
    type(desks[0]).objects.update(enabled=True, disabled_reason="", disabled_detail="")
    desks[2].delete()
    housekeeping.run_checks(world.clock)
    assert Notification.objects.get().facts["mailboxes"] == 2
    world.sync(desks[0])
    assert kinds() == [NotificationKind.MAILBOX_DISABLED], "one of the mailboxes is still stopped"
    desks[1].delete()
    housekeeping.run_checks(world.clock)
    assert kinds() == [NotificationKind.MAILBOX_DISABLED, NotificationKind.MAILBOX_RECOVERED], (
        "the remaining mailbox syncs again"
    )
    assert not Notification.objects.filter(open=True).exists()


@pytest.mark.wording
def test_the_recovery_of_the_only_mailbox_that_was_not_deleted_has_no_name(world: World, settings, hook):
    settings.DISABLE_AFTER = timedelta(0)
    desks = [world.mailbox(f"desk{number}@bank.example") for number in range(2)]
    fail_until_disabled(world, desks)
    world.wrap = lambda port, it: it
    type(desks[0]).objects.update(enabled=True, disabled_reason="", disabled_detail="")
    world.sync(desks[0])
    desks[1].delete()
    housekeeping.run_checks(world.clock)
    text = Notification.objects.get(kind=NotificationKind.MAILBOX_RECOVERED).text
    assert text == "The mailbox that was not deleted syncs again."


def test_a_notification_about_a_deleted_integration_closes_without_a_recovery(world: World, settings, hook):
    settings.DISABLE_AFTER = timedelta(0)
    desk = world.mailbox()
    failing(world, errors.SignInRefused())
    world.sync(desk)
    world.clock.turn(days=4)
    world.sync(desk)
    assert kinds() == [NotificationKind.INTEGRATION_DISABLED]
    housekeeping.run_checks(world.clock)
    assert Notification.objects.get().open
    world.integration.delete()
    housekeeping.run_checks(world.clock)
    assert kinds() == [NotificationKind.INTEGRATION_DISABLED]
    assert not Notification.objects.get().open


def with_refused_folders(world, address, *names):
    desk = world.mailbox(address)
    box = world.mailboxes[address]
    for name in names:
        box.create_folder(name)
        box.forbid_folder(name)
    return desk, box


def test_folders_that_cannot_be_read_and_their_recovery_cause_one_notification_each(world: World, hook):
    desk, box = with_refused_folders(world, "desk@bank.example", "Claims", "Trades")
    for _ in range(3):
        world.sync(desk)
        world.clock.turn(days=1)
    (notification,) = Notification.objects.all()
    assert (notification.kind, notification.facts["folders"], notification.mailbox_id) == (
        NotificationKind.FOLDER_LEFT_OUT,
        2,
        desk.pk,
    )
    box.permit_folder("Claims")
    world.sync(desk)
    assert kinds() == [NotificationKind.FOLDER_LEFT_OUT]
    box.permit_folder("Trades")
    world.clock.turn(days=1)
    world.sync(desk)
    world.sync(desk)
    assert kinds() == [NotificationKind.FOLDER_LEFT_OUT, NotificationKind.FOLDER_RECOVERED]
    assert Delivery.objects.count() == 2


def test_a_permission_that_many_mailboxes_lose_causes_one_notification_and_one_recovery(world: World, hook):
    boxes = [with_refused_folders(world, f"desk{number}@bank.example", "Claims")[1] for number in range(5)]
    world.sync_all()
    (notification,) = Notification.objects.all()
    assert (notification.facts["mailboxes"], notification.facts["folders"], Delivery.objects.count()) == (5, 5, 1)
    for box in boxes:
        assert kinds() == [NotificationKind.FOLDER_LEFT_OUT]
        box.permit_folder("Claims")
        world.clock.turn(days=1)
        world.sync_all()
    assert kinds() == [NotificationKind.FOLDER_LEFT_OUT, NotificationKind.FOLDER_RECOVERED]
    assert Notification.objects.get(kind=NotificationKind.FOLDER_RECOVERED).facts["mailboxes"] == 5


def test_a_later_unreadable_folder_causes_another_notification_but_only_one_recovery(world: World, hook):
    desk, box = with_refused_folders(world, "desk@bank.example", "Claims")
    world.sync(desk)
    Notification.objects.update(created_at=timezone.now() - timedelta(hours=1))
    box.create_folder("Trades")
    box.forbid_folder("Trades")
    world.sync(desk)
    assert kinds() == [NotificationKind.FOLDER_LEFT_OUT] * 2
    for name in ("Claims", "Trades"):
        box.permit_folder(name)
    world.clock.turn(days=1)
    world.sync(desk)
    assert kinds() == [
        NotificationKind.FOLDER_LEFT_OUT,
        NotificationKind.FOLDER_LEFT_OUT,
        NotificationKind.FOLDER_RECOVERED,
    ]
    assert not Notification.objects.filter(open=True).exists()


def test_a_mailbox_without_any_readable_folder_causes_no_notification_about_folders(world: World, hook):
    desk = world.mailbox()
    for entry in world.mailboxes[desk.address].folders.values():
        entry.forbidden = True
    world.sync(desk)
    assert kinds() == []


@pytest.mark.wording
def test_the_notification_about_unreadable_folders_has_their_number_and_the_error(world: World):
    desk, box = with_refused_folders(world, "desk@bank.example", "Claims", "Trades")
    world.sync(desk)
    (notification,) = Notification.objects.all()
    assert notification.text.startswith("2 folders of desk@bank.example cannot be read and are left out. ")
    assert str(errors.FolderRefused("ErrorAccessDenied")) in notification.text
    other, _ = with_refused_folders(world, "other@bank.example", "Claims")
    world.sync(other)
    assert Notification.objects.get().text.startswith("3 folders of 2 mailboxes cannot be read and are left out. ")
    box.permit_folder("Claims")
    world.clock.turn(days=1)
    world.sync(desk)
    assert Notification.objects.count() == 1
