"""What a failed sync costs: a delay, a hold on what fails as a whole, or a part that is disabled with its reason."""

from datetime import timedelta

import pytest
from django.db import OperationalError

from integrations import errors
from integrations.models import Integration
from mailboxes.models import Bucket, Mailbox
from operations import failed_email_actions, integration_actions, mailbox_actions
from operations.results import ActionRefused
from sync.models import VANISHED, DeadLetter, MailboxState
from tests.actors import ADMIN
from tests.mails import comment_id_of, mail
from tests.sync.world import World


@pytest.fixture
def desk(world: World):
    mailbox = world.mailbox()
    world.mailboxes[mailbox.address].deliver(mail("a"))
    return mailbox


def failing(world: World, mailbox, error, method="folders"):
    world.mailboxes[mailbox.address].fail(method, error)
    return world.sync(mailbox)


def test_a_busy_exchange_delays_only_this_mailbox_and_as_long_as_it_asked(world: World, desk):
    other = world.mailbox("other@bank.example")
    run = failing(world, desk, errors.ExchangeBusy(retry_after=timedelta(minutes=7)))
    assert (run.outcome, run.error_kind) == ("failed", "exchange_busy")
    assert world.due() == [other.pk]
    world.clock.turn(minutes=7)
    assert set(world.due()) == {desk.pk, other.pk}


def test_refused_credentials_hold_every_mailbox_of_the_connection_and_say_what_to_do(world: World, desk):
    others = {world.mailbox(f"{name}@bank.example").pk for name in ("one", "two")}
    failing(world, desk, errors.SignInRefused("HTTP 401"))
    integration = Integration.objects.get()
    assert integration.held_kind == "invalid_exchange_credentials"
    assert integration.held_detail == "HTTP 401"
    (probe,) = world.due()
    assert probe in others
    assert world.due() == []


def test_one_probe_is_sent_when_a_hold_runs_out_and_lifts_it_when_it_works(world: World, desk):
    world.mailbox("other@bank.example")
    failing(world, desk, errors.SignInRefused())
    world.clock.turn(minutes=21)
    (probe,) = world.due()
    assert probe != desk.pk
    assert world.due() == []
    world.sync(Mailbox.objects.get(pk=probe))
    assert not Integration.objects.get().is_held
    assert world.due() == [desk.pk]


def test_a_probe_that_fails_holds_it_for_another_while(world: World, desk):
    failing(world, desk, errors.SignInRefused())
    world.clock.turn(minutes=21)
    assert world.due() == [desk.pk]
    failing(world, desk, errors.SignInRefused())
    assert world.due() == []
    world.clock.turn(minutes=10)
    assert world.due() == []


def test_a_refusal_that_stays_for_days_disables_the_integration_with_its_reason(world: World, desk):
    failing(world, desk, errors.SignInRefused())
    world.clock.turn(days=3, minutes=1)
    failing(world, desk, errors.SignInRefused("HTTP 401"))
    integration = Integration.objects.get()
    assert (integration.enabled, integration.disabled_reason) == (False, "sync_error")
    assert (integration.disabled_kind, integration.disabled_detail) == ("invalid_exchange_credentials", "HTTP 401")
    assert integration.disabled_sentence


def test_start_lifts_the_hold_and_everything_is_due_at_once(world: World, desk):
    failing(world, desk, errors.SignInRefused())
    integration_actions.start(ADMIN, Integration.objects.get())
    assert world.due() == [desk.pk]


def test_a_mailbox_that_may_not_be_read_fails_alone(world: World, desk):
    other = world.mailbox("other@bank.example")
    failing(world, desk, errors.AccessDenied())
    assert world.due() == [other.pk]
    assert not Integration.objects.get().is_held


def test_a_mailbox_that_stays_unreadable_is_disabled_and_nothing_else(world: World, desk):
    failing(world, desk, errors.MailboxNotFound())
    world.clock.turn(days=4)
    failing(world, desk, errors.MailboxNotFound())
    desk.refresh_from_db()
    assert (desk.enabled, desk.disabled_reason) == (False, "sync_error")
    assert Integration.objects.get().enabled


def test_access_denied_for_a_day_removes_nothing_and_goes_on_at_the_cursor(world: World, desk):
    world.sync(desk)
    fetched = world.fetched()
    for _ in range(24):
        world.clock.turn(hours=1)
        failing(world, desk, errors.AccessDenied())
    world.clock.turn(hours=1)
    assert world.sync(desk).outcome == "done"
    assert world.fetched() == fetched
    world.assert_all_is_well(["a"])


def test_a_quota_disables_the_mailboxes_of_its_bucket_with_that_reason(world: World, desk):
    same, other = world.mailbox("same@bank.example"), world.mailbox("other@bank.example", bucket="other")
    around = world.open_sink

    def full(*given):
        sink = around(*given)
        sink.fail(errors.QuotaReached())
        return sink

    world.open_sink = full
    world.sync(desk)
    world.open_sink = around
    assert [box.disabled_reason for box in Mailbox.objects.order_by("pk")] == ["quota", "quota", ""]
    assert world.due() == [other.pk]
    mailbox_actions.start(ADMIN, desk)
    assert desk.pk in world.due()
    assert same.pk not in world.due()


def test_an_unreachable_re_infer_holds_its_destination_and_loses_nothing(world: World, desk):
    around = world.open_sink

    def cut(*given):
        sink = around(*given)
        sink.fail(errors.ReinferUnreachable(), after_taking=True)
        return sink

    world.open_sink = cut
    world.sync(desk)
    world.open_sink = around
    assert world.due() == []
    world.clock.turn(minutes=1)
    assert world.due() == [desk.pk]
    world.sync(desk)
    world.assert_all_is_well(["a"])
    assert not world.destination.__class__.objects.get().is_held


def test_a_fault_of_our_own_delays_the_mailbox_and_tells_only_its_type(world: World, desk):
    run = failing(world, desk, RuntimeError("Dear Ann, the secret is 4711"))
    assert run.error_kind == "internal_error"
    assert "4711" not in run.error_text
    assert "RuntimeError" in run.error_text
    assert world.due() == []
    world.clock.turn(minutes=1)
    assert world.due() == [desk.pk]


def test_a_database_that_fails_in_the_middle_of_a_sync_is_no_fault_of_ours_and_its_text_is_not_told(world: World, desk):
    run = failing(
        world, desk, OperationalError("could not extend file: INSERT INTO … VALUES ('Dear Ann, the secret is 4711')")
    )
    assert run.error_kind == "database_failed"
    assert "PostgreSQL" in run.error_text
    assert "4711" not in run.error_text
    world.clock.turn(minutes=1)
    assert world.due() == [desk.pk]


def test_a_comment_that_re_infer_refuses_is_set_aside_and_its_neighbours_arrive(world: World, desk):
    world.mailboxes[desk.address].deliver(mail("b"))
    around = world.open_sink

    def picky(*given):
        sink = around(*given)
        sink.refuse(comment_id_of("a"), "user_properties: too many")
        return sink

    world.open_sink = picky
    run = world.sync(desk)
    world.open_sink = around
    assert (run.outcome, run.set_aside, run.created) == ("done", 1, 1)
    world.assert_all_is_well(["b"])
    aside = DeadLetter.objects.get()
    assert (aside.stage, aside.reason) == ("push", "user_properties: too many")
    failed_email_actions.retry(ADMIN, aside)
    DeadLetter.objects.update(retry_at=world.clock())
    world.sync(desk)
    world.assert_all_is_well(["a", "b"])


def test_a_comment_over_which_re_infer_always_falls_is_found_and_set_aside(world: World, desk):
    box = world.mailboxes[desk.address]
    for name in "bcd":
        box.deliver(mail(name))
    around = world.open_sink

    def falls(*given):
        sink = around(*given)
        sink.poison(comment_id_of("c"), errors.ReinferFailed("HTTP 500"))
        return sink

    world.open_sink = falls
    for _ in range(5):
        world.sync(desk)
        world.clock.turn(minutes=20)
    # Whether Re:infer took it before it fell, the bucket itself told.
    world.assert_all_is_well(["a", "b", "d"])
    assert DeadLetter.objects.get().reason == "reinfer_failed"


def test_re_infer_being_down_for_hours_sets_nothing_aside(world: World, desk):
    around = world.open_sink

    def down(*given):
        sink = around(*given)
        sink.fail(errors.ReinferFailed("HTTP 500"), times=1000)
        sink.bucket.exists = False
        return sink

    world.sync(desk)
    world.mailboxes[desk.address].deliver(mail("b"))
    world.open_sink = down
    for _ in range(30):
        world.clock.turn(minutes=20)
        world.sync(desk)
    world.bucket().exists = True
    world.open_sink = around
    assert not DeadLetter.objects.exists()
    world.clock.turn(minutes=20)
    world.sync(desk)
    world.assert_all_is_well(["a", "b"])


@pytest.mark.wording
def test_an_email_that_vanished_is_looked_for_again_and_not_counted_among_those_that_are_tried(world: World, desk):
    box = world.mailboxes[desk.address]
    box.break_item(next(iter(box.folder("Inbox").items)), "ErrorItemCorrupt")
    world.sync(desk)
    aside = DeadLetter.objects.get()
    DeadLetter.objects.create(
        mailbox=desk, folder=aside.folder, item_id="gone", stage=VANISHED, reason="not there", last_at=world.clock(),
        retry_at=world.clock() + timedelta(hours=4),
    )  # fmt: skip
    told = failed_email_actions.retry_many(ADMIN, DeadLetter.objects.all(), world.clock)
    assert isinstance(told, str)
    assert "1" in told
    assert "2" not in told
    assert set(DeadLetter.objects.values_list("retry_at", flat=True)) == {world.clock()}
    only = failed_email_actions.retry_many(ADMIN, DeadLetter.objects.filter(stage=VANISHED), world.clock)
    assert isinstance(only, ActionRefused)


def test_a_dismissed_email_is_not_tried_again(world: World, desk):
    box = world.mailboxes[desk.address]
    box.break_item(next(iter(box.folder("Inbox").items)), "ErrorItemCorrupt")
    world.sync(desk)
    failed_email_actions.dismiss(ADMIN, DeadLetter.objects.get())
    world.clock.turn(days=30)
    fetched = world.fetched()
    world.sync(desk)
    assert world.fetched() == fetched


def test_a_set_aside_email_waits_longer_after_every_try(world: World, desk):
    box = world.mailboxes[desk.address]
    box.break_item(next(iter(box.folder("Inbox").items)), "ErrorItemCorrupt")
    waits = []
    for _ in range(4):
        world.sync(desk)
        aside = DeadLetter.objects.get()
        waits.append(aside.retry_at - aside.last_at)
        world.clock.now = aside.retry_at
    assert waits == [timedelta(hours=1), timedelta(hours=4), timedelta(days=1), timedelta(days=3)]


def test_a_stopped_integration_stops_a_running_sync_between_two_batches(world: World, desk, settings):
    settings.FETCH_COUNT = 1
    box = world.mailboxes[desk.address]
    for name in "bcd":
        box.deliver(mail(name))
    around = world.open_sink

    def stop_at_first_push(*given):
        sink = around(*given)
        sink.before_push = lambda comments: integration_actions.stop(ADMIN, world.integration)
        return sink

    world.open_sink = stop_at_first_push
    run = world.sync(desk)
    assert (run.outcome, run.created) == ("stopped", 1)
    assert world.due() == []
    world.open_sink = around
    integration_actions.start(ADMIN, world.integration)
    world.sync(desk)
    world.assert_all_is_well("abcd")


def test_a_mailbox_deleted_in_the_middle_of_its_sync_pushes_nothing_more(world: World, desk, settings):
    settings.FETCH_COUNT = 1
    world.mailboxes[desk.address].deliver(mail("b"))
    around = world.open_sink

    def deleted(*given):
        sink = around(*given)
        sink.before_push = lambda comments: Mailbox.objects.all().delete()
        return sink

    world.open_sink = deleted
    assert world.sync(desk).outcome == "lost"
    assert world.pushes() == 1


def test_most_mailboxes_at_once_is_a_bound(world: World):
    Integration.objects.update(most_at_once=2)
    for number in range(5):
        world.mailbox(f"m{number}@bank.example")
    assert len(world.due()) == 2


def test_a_task_that_was_lost_only_delays(world: World, desk):
    from sync.jobs import scheduling

    sent = []
    assert scheduling.dispatch(sent.append, world.clock) == 1
    assert scheduling.dispatch(sent.append, world.clock) == 0
    world.clock.turn(minutes=16)
    assert scheduling.dispatch(sent.append, world.clock) == 1


def test_an_unreachable_broker_loses_nothing(world: World, desk):
    from kombu.exceptions import OperationalError

    from sync.jobs import scheduling

    def down(mailbox_id):
        raise OperationalError

    assert scheduling.dispatch(down, world.clock) == 0
    assert world.due() == [desk.pk]


def test_an_idle_mailbox_is_due_again_after_its_interval(world: World, desk):
    world.mailboxes[desk.address].deliver(mail("fresh"), received=world.clock())
    world.sync(desk)
    assert world.due() == []
    world.clock.turn(seconds=61)
    assert world.due() == [desk.pk]


def test_a_first_contact_with_an_empty_bucket_makes_it_trusted(world: World, desk):
    world.sync(desk)
    assert Bucket.objects.get().trusted
    assert MailboxState.objects.get().up_to_date


def test_a_button_that_could_not_do_it_complains(world: World, desk):
    assert not isinstance(mailbox_actions.stop(ADMIN, desk), ActionRefused)
    desk.refresh_from_db()
    assert isinstance(mailbox_actions.sync_now(ADMIN, desk), ActionRefused)


def test_a_request_that_is_called_invalid_once_is_tried_again_soon_and_three_times_stops_the_mailbox_alone(
    world: World, desk
):
    other = world.mailbox("other@bank.example")
    for kind in ("exchange_request_rejected", "exchange_request_rejected", "exchange_request_invalid"):
        run = failing(world, desk, errors.RequestRejected("HTTP 400"))
        assert run.error_kind == kind
        assert world.due() == [other.pk]
        world.clock.turn(minutes=2)
        assert (desk.pk in world.due()) is (kind == "exchange_request_rejected")
    assert not Integration.objects.get().is_held
    assert "HTTP 400" in MailboxState.objects.get(pk=desk.pk).error_text
    assert world.sync(desk).outcome == "done"
