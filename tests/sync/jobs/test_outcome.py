"""A failed sync delays its mailbox, opens a circuit breaker, or disables the part at fault with a reason."""

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


def test_a_busy_exchange_delays_only_this_mailbox_for_the_requested_time(world: World, desk):
    other = world.mailbox("other@bank.example")
    run = failing(world, desk, errors.ExchangeBusy(retry_after=timedelta(minutes=7)))
    assert (run.outcome, run.error_kind) == ("failed", "exchange_busy")
    assert world.due() == [other.pk]
    world.clock.turn(minutes=7)
    assert set(world.due()) == {desk.pk, other.pk}


def test_refused_credentials_open_the_circuit_breaker_of_the_connection(world: World, desk):
    others = {world.mailbox(f"{name}@bank.example").pk for name in ("one", "two")}
    failing(world, desk, errors.SignInRefused("HTTP 401"))
    integration = Integration.objects.get()
    assert integration.held_kind == "invalid_exchange_credentials"
    assert integration.held_detail == "HTTP 401"
    (probe,) = world.due()
    assert probe in others
    assert world.due() == []


def test_one_half_open_trial_starts_after_the_wait_and_closes_the_circuit_breaker_if_it_works(world: World, desk):
    world.mailbox("other@bank.example")
    failing(world, desk, errors.SignInRefused())
    world.clock.turn(minutes=21)
    (probe,) = world.due()
    assert probe != desk.pk
    assert world.due() == []
    world.sync(Mailbox.objects.get(pk=probe))
    assert not Integration.objects.get().is_held
    assert world.due() == [desk.pk]


def test_a_failed_half_open_trial_extends_the_wait(world: World, desk):
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


def test_start_closes_the_circuit_breaker_and_all_mailboxes_are_due_at_once(world: World, desk):
    failing(world, desk, errors.SignInRefused())
    integration_actions.start(ADMIN, Integration.objects.get())
    assert world.due() == [desk.pk]


def test_a_mailbox_that_may_not_be_read_fails_alone(world: World, desk):
    other = world.mailbox("other@bank.example")
    failing(world, desk, errors.AccessDenied())
    assert world.due() == [other.pk]
    assert not Integration.objects.get().is_held


def test_a_mailbox_that_stays_unreadable_is_disabled_but_not_its_integration(world: World, desk):
    failing(world, desk, errors.MailboxNotFound())
    world.clock.turn(days=4)
    failing(world, desk, errors.MailboxNotFound())
    desk.refresh_from_db()
    assert (desk.enabled, desk.disabled_reason) == (False, "sync_error")
    assert Integration.objects.get().enabled


def test_access_denied_for_a_day_removes_nothing_and_the_sync_continues_at_its_cursor(world: World, desk):
    world.sync(desk)
    fetched = world.fetched()
    for _ in range(24):
        world.clock.turn(hours=1)
        failing(world, desk, errors.AccessDenied())
    world.clock.turn(hours=1)
    assert world.sync(desk).outcome == "done"
    assert world.fetched() == fetched
    world.assert_all_is_well(["a"])


def test_a_reached_quota_disables_the_mailboxes_of_its_bucket_with_that_reason(world: World, desk):
    same, other = world.mailbox("same@bank.example"), world.mailbox("other@bank.example", bucket="other")
    around = world.open_sink

    def sink_over_quota(*given):
        sink = around(*given)
        sink.fail(errors.QuotaReached())
        return sink

    world.open_sink = sink_over_quota
    world.sync(desk)
    world.open_sink = around
    assert [box.disabled_reason for box in Mailbox.objects.order_by("pk")] == ["quota", "quota", ""]
    assert world.due() == [other.pk]
    mailbox_actions.start(ADMIN, desk)
    assert desk.pk in world.due()
    assert same.pk not in world.due()


def test_an_unreachable_re_infer_opens_the_circuit_breaker_of_its_destination_and_loses_nothing(world: World, desk):
    around = world.open_sink

    def unreachable_sink(*given):
        sink = around(*given)
        sink.fail(errors.ReinferUnreachable(), after_taking=True)
        return sink

    world.open_sink = unreachable_sink
    world.sync(desk)
    world.open_sink = around
    assert world.due() == []
    world.clock.turn(minutes=1)
    assert world.due() == [desk.pk]
    world.sync(desk)
    world.assert_all_is_well(["a"])
    assert not world.destination.__class__.objects.get().is_held


def test_an_internal_error_delays_the_mailbox_and_only_its_type_is_stored(world: World, desk):
    run = failing(world, desk, RuntimeError("Dear Ann, the secret is 4711"))
    assert run.error_kind == "internal_error"
    assert "4711" not in run.error_text
    assert "RuntimeError" in run.error_text
    assert world.due() == []
    world.clock.turn(minutes=1)
    assert world.due() == [desk.pk]


def test_a_database_error_is_not_an_internal_error_and_its_text_is_not_stored(world: World, desk):
    run = failing(
        world, desk, OperationalError("could not extend file: INSERT INTO … VALUES ('Dear Ann, the secret is 4711')")
    )
    assert run.error_kind == "database_failed"
    assert "PostgreSQL" in run.error_text
    assert "4711" not in run.error_text
    world.clock.turn(minutes=1)
    assert world.due() == [desk.pk]


def test_a_refused_comment_becomes_a_dead_letter_and_the_others_are_pushed(world: World, desk):
    world.mailboxes[desk.address].deliver(mail("b"))
    around = world.open_sink

    def refusing_sink(*given):
        sink = around(*given)
        sink.refuse(comment_id_of("a"), "user_properties: too many")
        return sink

    world.open_sink = refusing_sink
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


def test_a_comment_at_which_re_infer_always_fails_is_isolated_as_a_dead_letter(world: World, desk):
    box = world.mailboxes[desk.address]
    for name in "bcd":
        box.deliver(mail(name))
    around = world.open_sink

    def failing_sink(*given):
        sink = around(*given)
        sink.poison(comment_id_of("c"), errors.ReinferFailed("HTTP 500"))
        return sink

    world.open_sink = failing_sink
    for _ in range(5):
        world.sync(desk)
        world.clock.turn(minutes=20)
    # Re:infer fails before it stores the comment, so the bucket does not contain the comment.
    world.assert_all_is_well(["a", "b", "d"])
    assert DeadLetter.objects.get().reason == "reinfer_failed"


def test_an_outage_of_re_infer_for_hours_creates_no_dead_letter(world: World, desk):
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
def test_a_vanished_email_is_searched_again_and_not_counted_as_retried(world: World, desk):
    box = world.mailboxes[desk.address]
    box.break_item(next(iter(box.folder("Inbox").items)), "ErrorItemCorrupt")
    world.sync(desk)
    aside = DeadLetter.objects.get()
    DeadLetter.objects.create(
        mailbox=desk, folder=aside.folder, item_id="gone", stage=VANISHED, reason="not there", last_at=world.clock(),
        retry_at=world.clock() + timedelta(hours=4),
    )  # fmt: skip
    result = failed_email_actions.retry_many(ADMIN, DeadLetter.objects.all(), world.clock)
    assert isinstance(result, str)
    assert "1" in result
    assert "2" not in result
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


def test_a_dead_letter_waits_longer_after_every_retry(world: World, desk):
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


def test_most_at_once_limits_the_queued_mailboxes_of_an_integration(world: World):
    Integration.objects.update(most_at_once=2)
    for number in range(5):
        world.mailbox(f"m{number}@bank.example")
    assert len(world.due()) == 2


def test_a_lost_task_only_delays_its_mailbox(world: World, desk):
    from sync.jobs import scheduling

    sent = []
    assert scheduling.dispatch(sent.append, world.clock) == 1
    assert scheduling.dispatch(sent.append, world.clock) == 0
    world.clock.turn(minutes=16)
    assert scheduling.dispatch(sent.append, world.clock) == 1


def test_a_mailbox_stays_due_while_the_broker_is_unreachable(world: World, desk):
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


def test_an_action_that_is_not_possible_returns_a_refusal(world: World, desk):
    assert not isinstance(mailbox_actions.stop(ADMIN, desk), ActionRefused)
    desk.refresh_from_db()
    assert isinstance(mailbox_actions.sync_now(ADMIN, desk), ActionRefused)


def test_a_rejected_request_is_retried_soon_and_after_three_in_a_row_slowly_for_that_mailbox_alone(world: World, desk):
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
