"""Whatever stands still is seen within a minute, told once with its cause, and told to be over (F128)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings

from config import process_guard
from integrations.models import Integration
from notifications.models import Delivery, Notification, NotificationKind, Webhook
from sync.jobs import housekeeping, processes, verification
from sync.models import MailboxState, Process, SyncRun
from sync.reporting import attention, standstill
from tests.factories import ProcessFactory, SyncRunFactory
from tests.sync.world import World

MINUTE = timedelta(minutes=1)


@pytest.fixture
def desk(world: World):
    desk = world.mailbox()
    MailboxState.objects.update(next_sync_at=world.clock() + 10 * MINUTE)
    return desk


@pytest.fixture
def well(world, desk):
    """A worker and a beat; the tick came just now."""
    housekeeping.ticked("dispatch", world.clock())
    return [ProcessFactory(seen_at=world.clock()), ProcessFactory(seen_at=world.clock(), kind="beat", name="beat")]


def pass_(world, *, minutes=0.0, seconds=0.0, ticks=True, says=True):
    """Time goes by, in which the product does what it should unless it is said here."""
    world.clock.turn(minutes=minutes, seconds=seconds)
    if ticks:
        housekeeping.ticked("dispatch", world.clock())
    if says:
        Process.objects.update(seen_at=world.clock())


def kinds(world) -> list[str]:
    return [it.kind.value for it in standstill.found(world.clock())]


def test_where_all_is_well_nothing_stands_still(world, well):
    pass_(world, minutes=3)
    assert kinds(world) == []


def test_nothing_stands_still_while_nothing_is_switched_on(world, well):
    Integration.objects.update(enabled=False, disabled_reason="user")
    world.clock.turn(hours=1)
    assert kinds(world) == []


def test_a_tick_that_does_not_come_is_seen_within_a_minute(world, well):
    pass_(world, seconds=20, ticks=False)
    assert kinds(world) == []
    pass_(world, seconds=30, ticks=False)
    assert kinds(world) == ["no_tick"]


def test_a_beat_that_is_away_is_named(world, well):
    Process.objects.filter(kind="beat").delete()
    pass_(world, seconds=50, ticks=False)
    assert kinds(world) == ["no_beat"]


def test_workers_that_are_away_are_named(world, well):
    Process.objects.filter(kind="worker").delete()
    pass_(world, seconds=50, ticks=False)
    assert kinds(world) == ["no_worker"]


def test_workers_that_say_nothing_are_away(world, well):
    pass_(world, seconds=50, ticks=False, says=False)
    Process.objects.filter(kind="beat").update(seen_at=world.clock())
    assert kinds(world) == ["no_worker"]


def test_what_never_began_is_told_a_minute_after_it_was_switched_on(world):
    world.mailbox()
    assert kinds(world) == []
    world.clock.turn(seconds=50)
    assert kinds(world) == ["no_worker"]
    ProcessFactory(seen_at=world.clock())
    assert kinds(world) == ["no_beat"]


def test_a_broker_that_is_away_is_seen_within_a_minute_and_is_the_cause_of_all_else(world, well):
    pass_(world, seconds=15, ticks=False)
    Process.objects.update(broker="away", broker_since=world.clock())
    assert kinds(world) == []
    pass_(world, seconds=30, ticks=False)
    assert kinds(world) == ["broker_away"]
    pass_(world, minutes=30, ticks=False)
    assert kinds(world) == ["broker_away"]


@pytest.mark.wording
def test_a_broker_that_is_full_says_so_and_names_whom_it_fails(world, well):
    Process.objects.filter(kind="beat").update(broker="refuses", broker_since=world.clock())
    pass_(world, seconds=30)
    (it,) = standstill.found(world.clock())
    assert it.kind == "broker_refuses"
    assert "rejects writes from beat@here" in it.text


def test_slots_that_are_busy_for_longer_than_a_slice_are_stuck_and_shorter_is_work(world, well):
    Process.objects.filter(kind="worker").update(busy_since=world.clock())
    pass_(world, seconds=settings.SYNC_SLICE.total_seconds(), ticks=False)
    assert kinds(world) == [], "a tick waits for a slot as everything does"
    pass_(world, minutes=1, ticks=False)
    assert kinds(world) == ["slots_stuck"]


def test_one_worker_that_is_stuck_beside_one_that_works_is_no_standstill(world, well):
    Process.objects.filter(kind="worker").update(busy_since=world.clock())
    ProcessFactory(seen_at=world.clock())
    pass_(world, minutes=10)
    assert kinds(world) == []


def due(world):
    MailboxState.objects.update(next_sync_at=world.clock())


def test_mailboxes_that_are_due_while_no_sync_ends_are_told_within_a_minute(world, well):
    due(world)
    pass_(world, seconds=30)
    assert kinds(world) == []
    pass_(world, seconds=20)
    assert kinds(world) == ["nothing_ends"]


def test_a_sync_that_takes_its_time_is_no_standstill_and_one_beyond_its_slice_is(world, desk, well):
    due(world)
    SyncRunFactory(mailbox=desk, started_at=world.clock(), ended_at=None, outcome=SyncRun.Outcome.RUNNING)
    pass_(world, seconds=settings.SYNC_SLICE.total_seconds())
    assert kinds(world) == []
    pass_(world, minutes=1)
    assert kinds(world) == ["nothing_ends"]


def test_a_verification_that_has_the_place_of_a_sync_is_no_standstill(world, desk, well):
    due(world)
    row = verification.begin(desk, repair=False, clock=world.clock)
    type(row).objects.update(claimed_until=world.clock() + 10 * MINUTE)
    pass_(world, minutes=2)
    assert kinds(world) == []


def test_what_is_held_is_not_due(world, desk, well):
    due(world)
    Integration.objects.update(held_until=world.clock() + 20 * MINUTE)
    pass_(world, minutes=2)
    assert kinds(world) == []


# ---- secrets and workers that are not fit -----------------------------------------------------------------------------


def cannot_open(world, *names):
    refs = [processes.reference(world.integration)]
    Process.objects.filter(pk__in=names).update(unreadable=refs, unreadable_since=world.clock())


def test_a_secret_that_no_worker_can_decrypt_is_told_of_its_integration_and_nothing_else_is(world, well):
    due(world)
    cannot_open(world, well[0].pk)
    (it,) = standstill.found(world.clock())
    assert (it.kind, it.about, it.error) == ("secret_unreadable", "Integration bank/mail", "secret_unreadable")
    pass_(world, minutes=5)
    assert kinds(world) == ["secret_unreadable"]


def test_a_secret_that_another_worker_can_decrypt_needs_nobody(world, well):
    cannot_open(world, well[0].pk)
    ProcessFactory(seen_at=world.clock())
    assert kinds(world) == []


@pytest.mark.wording
def test_a_worker_that_takes_no_mailboxes_is_named_with_its_reason(world, well):
    Process.objects.filter(pk=well[0].pk).update(fault="worker_out_of_resources", fault_since=world.clock())
    (it,) = standstill.found(world.clock())
    assert (it.kind, it.about, it.tone) == ("worker_unfit", well[0].node, "bad")
    assert "no file descriptors" in it.text
    ProcessFactory(seen_at=world.clock())
    assert standstill.found(world.clock())[0].tone == "warn", "another one works"


# ---- telling ----------------------------------------------------------------------------------------------------------


def told():
    return list(Notification.objects.order_by("created_at").values_list("kind", "facts__standstill"))


def test_a_standstill_is_one_problem_on_the_overview(world, well):
    pass_(world, minutes=2, ticks=False)
    (problem,) = attention.problems(world.clock())
    assert (problem.about, problem.title, problem.subject) == ("standstill", "Standing still", "Beat")


def test_a_standstill_is_told_once_and_its_end_once_however_many_look(world, well):
    pass_(world, minutes=2, ticks=False)
    for _ in range(3):
        standstill.announce(world.clock())
    assert told() == [(NotificationKind.STANDING_STILL, "no_tick")]
    pass_(world)
    for _ in range(3):
        standstill.announce(world.clock())
    assert told() == [(NotificationKind.STANDING_STILL, "no_tick"), (NotificationKind.GOING_ON, "no_tick")]
    pass_(world, minutes=2, ticks=False)
    standstill.announce(world.clock())
    assert len(told()) == 3, "the next one is told again"


def test_what_was_told_of_a_standstill_stays_told_when_mailboxes_are_forgotten(world, well):
    pass_(world, minutes=2, ticks=False)
    standstill.announce(world.clock())
    housekeeping.look(world.clock)
    assert Notification.objects.get().open


def test_a_guard_sends_what_the_workers_whose_task_it_is_do_not(world, well, monkeypatch):
    posted = []
    monkeypatch.setattr("notifications.delivering._post", lambda url, body, headers: posted.append(url))
    monkeypatch.setattr(process_guard, "database_now", world.clock)
    Webhook.objects.create(url="https://hooks.example/in", secret="a secret of sixteen or more")
    pass_(world, minutes=2, ticks=False)
    standstill.announce(world.clock())
    Delivery.objects.update(next_at=world.clock())
    process_guard.check_standstill()
    assert posted == [], "a moment later somebody may still do it"
    pass_(world, minutes=1, ticks=False)
    process_guard.check_standstill()
    assert posted == ["https://hooks.example/in"]


# ---- what a process says of itself ------------------------------------------------------------------------------------


def test_a_process_remembers_since_when_it_says_so(world):
    processes.record_heartbeat(
        "worker", "celery@here", processes.Heartbeat("away", unreadable=["integration:1"], fault="x"), world.clock()
    )
    began = world.clock()
    world.clock.turn(minutes=3)
    word = processes.Heartbeat("away", timedelta(minutes=1), ["integration:2"], "x")
    processes.record_heartbeat("worker", "celery@here", word, world.clock())
    (row,) = processes.alive(world.clock())
    assert (row.broker_since, row.unreadable_since, row.fault_since) == (began, began, began)
    assert row.busy_since == world.clock() - timedelta(minutes=1)
    processes.record_heartbeat("worker", "celery@here", processes.Heartbeat(), world.clock())
    (row,) = processes.alive(world.clock())
    assert (row.broker_since, row.unreadable_since, row.fault_since, row.busy_since) == (None, None, None, None)
    processes.sign_off()
    assert processes.alive(world.clock()) == []


def test_a_process_that_went_without_a_word_is_forgotten_after_a_day(world):
    ProcessFactory(seen_at=world.clock())
    world.clock.turn(hours=25)
    ProcessFactory(seen_at=world.clock(), name="new")
    processes.forget_old(world.clock())
    assert Process.objects.get().name == "new"
