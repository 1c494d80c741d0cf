"""Alerts about buckets and mailboxes without mail for a day, and mailboxes without a complete sync or without a worker."""

from datetime import timedelta

import pytest

from integrations.models import Integration
from mailboxes.models import Mailbox
from sync.engine.records import RunCounts
from sync.jobs import activity, housekeeping
from sync.jobs.activity import hour_of
from sync.jobs.pruning import prune
from sync.models import Activity, MailboxState, MailDay, SyncRun
from sync.reporting import alerts
from sync.reporting.alerts.silence import silent
from tests.factories import MailboxStateFactory, ago
from tests.mails import mail
from tests.sync.world import World


@pytest.fixture
def desk(world: World):
    mailbox = world.mailbox()
    world.sync(mailbox)
    return mailbox


@pytest.fixture
def desks(world: World):
    found = [world.mailbox(f"desk{number}@bank.example") for number in range(3)]
    world.sync_all()
    return found


def arrived(world: World, mailbox: Mailbox, days: int, created: int) -> None:
    hour = hour_of(world.clock() - timedelta(days=days, hours=3))
    Activity.objects.create(
        integration_id=mailbox.integration_id, bucket_id=mailbox.bucket_id, hour=hour, created=created
    )


def of_day(world: World, mailbox: Mailbox, days: int, created: int) -> None:
    MailDay.objects.create(mailbox=mailbox, day=(world.clock() - timedelta(days=days)).date(), created=created)


def usually(world: World, mailbox: Mailbox) -> None:
    """Record mail for the days one week and two weeks before yesterday."""
    of_day(world, mailbox, 8, 40)
    of_day(world, mailbox, 15, 20)


def problems(world: World) -> list[alerts.Problem]:
    """Record a run of the task `dispatch`, so that no standstill is reported, and return the alerts."""
    housekeeping.record_tick("dispatch", world.clock())
    return alerts.problems(world.clock())


def titles(world: World) -> list[str]:
    return [problem.title for problem in problems(world)]


# ---- a bucket ---------------------------------------------------------------------------------------------------------


@pytest.mark.wording
def test_a_day_without_mail_in_a_bucket_that_usually_receives_some_is_reported(world: World, desk):
    arrived(world, desk, 7, 120)
    arrived(world, desk, 14, 80)
    (problem,) = problems(world)
    assert problem.title == "Silent"
    assert "for bank/desks in the last 24 hours; there were 120 in the same 24 hours a week ago" in problem.text


@pytest.mark.parametrize(
    "past", [[(7, 120)], [(7, 120), (14, 3)], [(7, 120), (14, 80), (0, 1)]], ids=["once", "seldom", "some today"]
)
def test_a_bucket_without_usual_mail_or_with_new_mail_is_not_reported(world: World, desk, past):
    for days, created in past:
        arrived(world, desk, days, created)
    assert titles(world) == []


def test_a_stopped_integration_is_not_reported_as_silent(world: World, desk):
    arrived(world, desk, 7, 120)
    arrived(world, desk, 14, 80)
    Integration.objects.update(enabled=False, disabled_reason="user")
    assert titles(world) == []


def test_the_alert_about_a_silent_bucket_has_the_number_of_its_mailboxes(world: World, desks):
    arrived(world, desks[0], 7, 120)
    arrived(world, desks[0], 14, 80)
    for desk in desks:
        usually(world, desk)
    (problem,) = problems(world)
    assert (problem.about, problem.count, problem.bucket) == ("mailboxes", 3, desks[0].bucket_id)


def test_a_bucket_is_not_reported_as_silent_right_after_a_start(world: World, desk):
    arrived(world, desk, 7, 120)
    arrived(world, desk, 14, 80)
    world.clock.turn(minutes=1)
    MailboxState.objects.update(next_sync_at=None, asked_at=world.clock())
    assert titles(world) == []
    world.sync(desk)
    assert titles(world) == ["Silent"]


# ---- a mailbox --------------------------------------------------------------------------------------------------------


@pytest.mark.wording
def test_one_silent_mailbox_of_a_bucket_is_reported(world: World, desks):
    for desk in desks:
        usually(world, desk)
    of_day(world, desks[0], 1, 5)
    of_day(world, desks[1], 0, 1)
    (problem,) = problems(world)
    assert (problem.title, problem.about, problem.subject) == ("Silent", "mailbox", desks[2])
    assert (
        "for 1 mailbox of bank/desks since Sunday, 00:00 UTC; there were 40 on the same day a week ago" in problem.text
    )


@pytest.mark.wording
def test_several_silent_mailboxes_of_a_bucket_are_one_alert(world: World, desks):
    for desk in desks:
        usually(world, desk)
    of_day(world, desks[0], 1, 5)
    (problem,) = problems(world)
    assert (problem.about, problem.count, problem.subject) == ("mailboxes", 2, world.integration)
    assert "for 2 mailboxes of bank/desks" in problem.text
    assert "there were 80 on the same day" in problem.text


@pytest.mark.parametrize("past", [[(8, 40)], [(8, 40), (15, 9)], [(8, 9), (15, 40)], [(7, 40), (14, 40)]])
def test_a_mailbox_without_usual_mail_on_that_weekday_is_not_reported(world: World, desk, past):
    for days, created in past:
        of_day(world, desk, days, created)
    assert titles(world) == []


@pytest.mark.parametrize("stopped", [Integration, Mailbox])
def test_a_stopped_mailbox_is_not_reported_as_silent(world: World, desk, stopped):
    usually(world, desk)
    stopped.objects.update(enabled=False, disabled_reason="user")
    assert titles(world) == []


def test_a_mailbox_is_not_reported_as_silent_right_after_a_start(world: World, desk):
    usually(world, desk)
    world.clock.turn(minutes=1)
    MailboxState.objects.update(next_sync_at=None, asked_at=world.clock())
    assert titles(world) == []
    world.mailboxes[desk.address].deliver(mail("a"))
    world.sync(desk)
    assert titles(world) == []


def test_a_mailbox_that_was_not_synced_since_the_day_ended_is_not_reported(world: World, desk):
    usually(world, desk)
    MailboxState.objects.update(
        synced_at=world.clock() - timedelta(hours=9), asked_at=world.clock() - timedelta(days=9)
    )
    assert list(silent(world.clock())) == []


def test_created_comments_are_added_to_the_day_of_their_mailbox(world: World, desk):
    other = world.mailbox("other@bank.example")
    for name in "ab":
        world.mailboxes[desk.address].deliver(mail(name))
        world.sync(desk)
    world.sync(other)
    world.clock.turn(days=1)
    world.mailboxes[desk.address].deliver(mail("c"))
    world.sync(desk)
    activity.add(desk, RunCounts(updated=1, set_aside=1), world.clock())
    days = MailDay.objects.order_by("day").values_list("mailbox_id", "day", "created")
    assert list(days) == [(desk.pk, (world.clock() - timedelta(days=1)).date(), 2), (desk.pk, world.clock().date(), 1)]


def test_the_days_of_a_mailbox_are_kept_for_three_weeks(world: World, desk):
    of_day(world, desk, 21, 4)
    of_day(world, desk, 22, 4)
    prune(world.clock)
    assert MailDay.objects.get().day == (world.clock() - timedelta(days=21)).date()


def test_two_queries_find_every_silent_mailbox(world: World, desks, django_assert_num_queries):
    with django_assert_num_queries(2):
        assert list(silent(world.clock())) == []


# ---- no complete sync -------------------------------------------------------------------------------------------------


@pytest.mark.wording
def test_a_mailbox_without_a_complete_sync_for_hours_is_reported(world: World, desk):
    assert titles(world) == []
    world.clock.turn(hours=3)
    MailboxState.objects.update(next_sync_at=world.clock())
    (problem,) = problems(world)
    assert (problem.title, problem.about) == ("Silent", "mailbox")
    assert "No sync of it has read all mail since 08:00, although none failed" in problem.text


@pytest.mark.wording
def test_mailboxes_without_a_complete_sync_for_hours_are_one_alert(world: World, desks):
    world.clock.turn(minutes=20)
    world.sync(desks[0])
    world.clock.turn(hours=3)
    MailboxState.objects.update(next_sync_at=world.clock())
    (problem,) = problems(world)
    assert (problem.about, problem.count) == ("mailboxes", 3)
    assert "since 08:00" in problem.text
    assert "No sync of any of them" in problem.text


@pytest.mark.parametrize(("hours", "alerts"), [(5, []), (12, []), (14, ["Silent"])])
def test_the_limit_grows_with_the_poll_interval(world: World, desk, hours, alerts):
    Integration.objects.update(poll_interval=4 * 3600)
    world.clock.turn(hours=hours)
    MailboxState.objects.update(next_sync_at=world.clock())
    assert titles(world) == alerts


def test_a_mailbox_that_was_stopped_for_days_is_not_reported_right_after_its_start(world: World, desk):
    world.clock.turn(days=9)
    MailboxState.objects.update(next_sync_at=None, asked_at=world.clock())
    assert titles(world) == []
    world.clock.turn(hours=3)
    MailboxState.objects.update(next_sync_at=world.clock())
    assert titles(world) == ["Silent"]


def test_a_mailbox_without_a_complete_sync_is_reported_unless_its_first_sync_pushes_mail(world: World):
    desk = world.mailbox()
    world.clock.turn(hours=3)
    MailboxState.objects.update(next_sync_at=world.clock())
    assert titles(world) == ["Silent"]
    SyncRun.objects.create(mailbox=desk, started_at=world.clock() - timedelta(minutes=5), outcome="yielded", created=7)
    assert titles(world) == []


# ---- no worker -------------------------------------------------------------------------------------------------------


@pytest.mark.wording
def test_a_mailbox_whose_first_sync_no_worker_starts_is_reported(world: World):
    world.mailbox()
    assert MailboxState.objects.get().next_sync_at is None
    assert titles(world) == []
    world.clock.turn(minutes=20)
    standstill, problem = problems(world)
    assert (standstill.title, standstill.subject) == ("Standing still", "Syncs")
    assert (problem.title, problem.status) == ("Overdue", "overdue")
    assert "was due at 08:00. No worker started a sync" in problem.text


def test_an_update_that_makes_a_mailbox_due_at_once_stores_the_time(db):
    state = MailboxStateFactory(asked_at=ago(days=3))
    MailboxState.objects.update(next_sync_at=state.next_sync_at, failures=0)
    state.refresh_from_db()
    before = state.asked_at
    MailboxState.objects.filter(pk=state.pk).update(next_sync_at=None)
    state.refresh_from_db()
    assert state.asked_at > before + timedelta(days=2)
