"""Lateness of mailboxes, the order in which they are polled, and the numbers of needed and done polls."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from integrations.models import Integration
from mailboxes.models import Bucket, Mailbox
from operations import integration_actions
from sync.jobs import housekeeping, poll_rate, pruning, scheduling
from sync.jobs.lateness import late_since
from sync.models import MailboxState, PollRate, SyncRun
from sync.reporting import alerts
from sync.reporting.invariants import Invariant, broken
from sync.reporting.status import Status, mailbox_standing, with_status
from tests.actors import ADMIN
from tests.sync.jobs.test_citizenship import Hours
from tests.sync.world import World

pytestmark = pytest.mark.django_db(transaction=True)

MINUTE = timedelta(minutes=1)


@pytest.fixture
def world(db) -> World:
    return World()


def status_of(world: World, mailbox: Mailbox) -> str:
    row = with_status(Mailbox.objects.select_related("state", "integration"), world.clock()).get(pk=mailbox.pk)
    # Python computes the sentence, and the database computes the status. The two must agree.
    waits = row.status in (Status.OVERDUE, Status.WAITING)
    assert bool(mailbox_standing(row, world.clock()).sentence) is waits
    return row.status


def many(world: World, count: int, integration: Integration | None = None, **state: object) -> list[Mailbox]:
    bucket, _ = Bucket.objects.get_or_create(destination=world.destination, project="bank", name="desks")
    first = Mailbox.objects.count()
    rows = Mailbox.objects.bulk_create(
        Mailbox(integration=integration or world.integration, bucket=bucket, address=f"m{first + number}@bank.example")
        for number in range(count)
    )
    MailboxState.objects.bulk_create(
        MailboxState(**{"mailbox": row, "asked_at": world.clock(), "next_sync_at": world.clock(), **state})
        for row in rows
    )
    return rows


@pytest.mark.parametrize(
    ("interval", "on_time", "late"), [(None, 59, 61), (15, 59, 61), (60, 59, 61), (3600, 3599, 3601)]
)
def test_a_mailbox_is_late_when_it_has_waited_for_one_more_interval(world: World, interval, on_time, late):
    desk = world.mailbox()
    world.sync(desk)
    Integration.objects.update(poll_interval=interval)
    due = MailboxState.objects.get().next_sync_at
    world.clock.now = due + timedelta(seconds=on_time)
    assert status_of(world, desk) == Status.UP_TO_DATE
    world.clock.now = due + timedelta(seconds=late)
    assert status_of(world, desk) == Status.OVERDUE


def test_the_shortest_interval_of_the_installation_applies_to_lateness_too(world: World, settings):
    desk = world.mailbox()
    world.sync(desk)
    Integration.objects.update(poll_interval=15)
    settings.POLL_INTERVAL_LEAST = 5 * MINUTE
    world.clock.now = MailboxState.objects.get().next_sync_at + 4 * MINUTE
    assert status_of(world, desk) == Status.UP_TO_DATE
    world.clock.turn(minutes=2)
    assert status_of(world, desk) == Status.OVERDUE


def test_a_mailbox_that_is_still_being_listed_is_not_late_between_two_slices(world: World):
    desk = world.mailbox()
    MailboxState.objects.update(pages=4, next_sync_at=world.clock(), up_to_date=False)
    world.clock.turn(minutes=10)
    assert not Mailbox.objects.filter(late_since(world.clock()), pk=desk.pk).exists()
    world.clock.turn(minutes=6)
    assert status_of(world, desk) == Status.OVERDUE, "no worker took it for more than `LISTING`"


def test_a_mailbox_that_is_late_for_a_short_time_causes_no_alert(world: World):
    desk = world.mailbox()
    world.sync(desk)
    world.clock.now = MailboxState.objects.get().next_sync_at + 4 * MINUTE
    assert status_of(world, desk) == Status.OVERDUE
    assert not broken(world.clock())
    world.clock.turn(minutes=2)
    assert [it.invariant for it in broken(world.clock())] == [Invariant.MAILBOX_UNTOUCHED]


# ---- polling order ------------------------------------------------------------------------------------------------


def test_after_stop_and_start_mailboxes_never_synced_come_first_and_then_those_synced_longest_ago(world: World):
    Integration.objects.update(most_at_once=10_000)
    now = world.clock()
    lately = many(world, 200, synced_at=now - MINUTE, up_to_date=True, pages=3)
    long_ago = many(world, 200, synced_at=now - timedelta(hours=1), up_to_date=True, pages=3)
    halfway = many(world, 10, pages=3)
    never = many(world, 600)
    integration_actions.stop(ADMIN, world.integration)
    integration_actions.start(ADMIN, world.integration)
    MailboxState.objects.update(asked_at=now)
    sent = world.due()
    assert set(sent[:600]) == {row.pk for row in never}
    assert set(sent[600:610]) == {row.pk for row in halfway}
    assert set(sent[610:810]) == {row.pk for row in long_ago}
    assert set(sent[810:]) == {row.pk for row in lately}


def test_among_synced_mailboxes_the_one_that_has_been_due_longest_comes_first(world: World):
    now = world.clock()
    asked = many(world, 1, next_sync_at=None, asked_at=now - 3 * MINUTE, synced_at=now - 9 * MINUTE, pages=1)
    polled = [many(world, 1, next_sync_at=now - age * MINUTE, synced_at=now - 9 * MINUTE, pages=1) for age in (1, 5, 2)]
    listed = many(world, 1, next_sync_at=now, pages=7)
    assert world.due() == [polled[1][0].pk, asked[0].pk, polled[2][0].pk, polled[0][0].pk, listed[0].pk]


def test_a_giant_mailbox_in_its_listing_does_not_delay_polled_mailboxes(world: World):
    Integration.objects.update(most_at_once=1)
    giant = many(world, 1, pages=50, next_sync_at=world.clock())
    polled = many(world, 1, synced_at=world.clock() - 5 * MINUTE, pages=1, next_sync_at=world.clock() - MINUTE)
    assert world.due() == [polled[0].pk]
    assert giant


def test_dispatch_and_the_end_of_a_sync_run_as_many_queries_for_thousands_of_mailboxes_as_for_a_few(world: World):
    Integration.objects.update(most_at_once=1)

    def queries(action) -> int:
        MailboxState.objects.update(queued_until=None)
        with CaptureQueriesContext(connection) as captured:
            action()
        return len(captured)

    (first,) = many(world, 1, synced_at=world.clock(), pages=1)
    few = [queries(lambda: scheduling.dispatch(lambda pk: None, world.clock))]
    few += [queries(lambda: scheduling.queue_next(first, lambda pk: None, world.clock))]
    many(world, 2_000, synced_at=world.clock(), pages=1)
    many_mailboxes = [queries(lambda: scheduling.dispatch(lambda pk: None, world.clock))]
    many_mailboxes += [queries(lambda: scheduling.queue_next(first, lambda pk: None, world.clock))]
    assert many_mailboxes == few


# ---- polls needed and done ----------------------------------------------------------------------------------------


def minutes(world: World, hours: Hours, count: int) -> None:
    for _ in range(count):
        hours.pass_(MINUTE)
        poll_rate.measure(world.clock())


def workers(world: World, mailboxes: int, count: int, takes: float) -> Hours:
    """Simulate up-to-date mailboxes, and workers that need `takes` seconds for a poll."""
    Integration.objects.update(most_at_once=count, poll_interval=60)
    many(world, mailboxes, synced_at=world.clock(), up_to_date=True, pages=1)
    hours = Hours(world, workers=count, takes=lambda pk: takes)

    def poll(mailbox: Mailbox) -> None:
        now = world.clock()
        MailboxState.objects.filter(pk=mailbox.pk).update(
            next_sync_at=now + MINUTE, synced_at=now, up_to_date=True, queued_until=None
        )
        SyncRun.objects.create(mailbox=mailbox, started_at=now, ended_at=now, outcome=SyncRun.Outcome.DONE)

    hours.sync = poll
    return hours


@pytest.mark.long
@pytest.mark.wording
def test_a_shortage_of_polls_is_reported_with_the_needed_and_the_done_polls(world: World):
    hours = workers(world, 60, 1, takes=6)
    minutes(world, hours, 4)
    assert not any(it.about == "polling" for it in alerts.problems(world.clock())), "a burst is no shortage"
    minutes(world, hours, 6)
    rate = poll_rate.latest(world.clock())
    assert rate is not None
    assert (round(rate.needed, 1), round(rate.done, 1)) == (1.0, 0.2)
    (alert,) = (it for it in alerts.problems(world.clock()) if it.about == "polling")
    assert "1.0 polls a second are needed, and 0.2 were done" in alert.text
    assert "6.0 times less often" in alert.text
    since = alert.since
    minutes(world, hours, 3)
    (alert,) = (it for it in alerts.problems(world.clock()) if it.about == "polling")
    assert alert.since == since, "it is the same shortage"
    up_to_date = with_status(Mailbox.objects.all(), world.clock()).filter(status=Status.UP_TO_DATE)
    assert up_to_date.count() < 30, "most mailboxes are late"


@pytest.mark.long
def test_enough_polls_cause_no_alert(world: World):
    hours = workers(world, 30, 4, takes=0.5)
    minutes(world, hours, 9)
    done = sum(PollRate.objects.values_list("done", flat=True)) / PollRate.objects.count()
    assert done == pytest.approx(30 / 66, rel=0.2), "a tick comes every five seconds"
    assert poll_rate.shortage(world.clock()) is None


def test_only_polled_mailboxes_count_as_needing_polls(world: World):
    now = world.clock()
    polled: dict[str, Any] = {"synced_at": now, "next_sync_at": now + MINUTE, "up_to_date": True, "pages": 1}
    many(world, 6, **polled)
    assert poll_rate.needed() == pytest.approx(0.1)
    many(world, 6, **{**polled, "next_sync_at": None})
    assert poll_rate.needed() == pytest.approx(0.2), (
        "a mailbox that was made due at once counts with its usual interval"
    )
    many(world, 5, **{**polled, "next_sync_at": now + 5 * MINUTE})
    assert poll_rate.needed() == pytest.approx(0.2 + 5 / 300), "without mail for a week, so the pauses are longer"
    many(world, 50)
    many(world, 50, up_to_date=False, pages=9)
    many(world, 50, **{**polled, "failures": 2})
    Mailbox.objects.filter(pk__in=[row.pk for row in many(world, 50, **polled)]).update(
        enabled=False, disabled_reason="user"
    )
    held = Integration.objects.create(project="bank", name="held", enabled=True, disabled_reason="", held_until=now)
    many(world, 50, held, **polled)
    assert poll_rate.needed() == pytest.approx(0.2 + 5 / 300)


def test_housekeeping_measures_every_minute_and_measurements_are_deleted_after_a_day(world: World):
    housekeeping.run_checks(world.clock)
    housekeeping.run_checks(world.clock)
    assert PollRate.objects.count() == 1
    world.clock.turn(seconds=65)
    housekeeping.run_checks(world.clock)
    assert PollRate.objects.count() == 2
    world.clock.turn(days=1, hours=1)
    assert poll_rate.latest(world.clock()) is None
    pruning.prune(world.clock)
    assert not PollRate.objects.exists()
