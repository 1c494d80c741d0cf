"""Most standstills are detected within a minute. Each standstill is announced once, with its cause. Its
end is also announced once.

This is fault F128 in docs/guarantees.md.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings

from config import process_guard
from integrations.models import Integration
from notifications.models import Delivery, Notification, NotificationKind, Webhook
from sync.jobs import housekeeping, processes, verification
from sync.models import MailboxState, Process, SyncRun
from sync.reporting import alerts, standstill
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
    """A worker and a beat. Their heartbeats and the last run of the task `dispatch` (a tick) are from the current time."""
    housekeeping.record_tick("dispatch", world.clock())
    return [ProcessFactory(seen_at=world.clock()), ProcessFactory(seen_at=world.clock(), kind="beat", name="beat")]


def pass_(world, *, minutes=0.0, seconds=0.0, ticks=True, heartbeats=True):
    """Advance the clock. Then record a tick, unless `ticks` is False, and heartbeats, unless `heartbeats` is False."""
    world.clock.turn(minutes=minutes, seconds=seconds)
    if ticks:
        housekeeping.record_tick("dispatch", world.clock())
    if heartbeats:
        Process.objects.update(seen_at=world.clock())


def kinds(world) -> list[str]:
    return [it.kind.value for it in standstill.found(world.clock())]


def test_a_healthy_installation_has_no_standstill(world, well):
    pass_(world, minutes=3)
    assert kinds(world) == []


def test_no_standstill_is_reported_while_no_integration_is_enabled(world, well):
    Integration.objects.update(enabled=False, disabled_reason="user")
    world.clock.turn(hours=1)
    assert kinds(world) == []


def test_a_missing_tick_is_detected_within_a_minute(world, well):
    pass_(world, seconds=20, ticks=False)
    assert kinds(world) == []
    pass_(world, seconds=30, ticks=False)
    assert kinds(world) == ["no_tick"]


def test_a_missing_beat_is_reported(world, well):
    Process.objects.filter(kind="beat").delete()
    pass_(world, seconds=50, ticks=False)
    assert kinds(world) == ["no_beat"]


def test_missing_workers_are_reported(world, well):
    Process.objects.filter(kind="worker").delete()
    pass_(world, seconds=50, ticks=False)
    assert kinds(world) == ["no_worker"]


def test_workers_without_a_recent_heartbeat_count_as_missing(world, well):
    pass_(world, seconds=50, ticks=False, heartbeats=False)
    Process.objects.filter(kind="beat").update(seen_at=world.clock())
    assert kinds(world) == ["no_worker"]


def test_a_standstill_of_an_installation_that_never_synced_is_detected_within_a_minute(world):
    world.mailbox()
    assert kinds(world) == []
    world.clock.turn(seconds=50)
    assert kinds(world) == ["no_worker"]
    ProcessFactory(seen_at=world.clock())
    assert kinds(world) == ["no_beat"]


def test_an_unreachable_broker_is_detected_within_a_minute_and_reported_as_the_only_cause(world, well):
    pass_(world, seconds=15, ticks=False)
    Process.objects.update(broker="away", broker_since=world.clock())
    assert kinds(world) == []
    pass_(world, seconds=30, ticks=False)
    assert kinds(world) == ["broker_away"]
    pass_(world, minutes=30, ticks=False)
    assert kinds(world) == ["broker_away"]


@pytest.mark.wording
def test_a_broker_that_rejects_writes_is_reported_with_the_affected_processes(world, well):
    Process.objects.filter(kind="beat").update(broker="refuses", broker_since=world.clock())
    pass_(world, seconds=30)
    (it,) = standstill.found(world.clock())
    assert it.kind == "broker_refuses"
    assert "rejects writes from beat@here" in it.text


def test_slots_that_are_busy_for_longer_than_a_slice_are_reported_as_stuck(world, well):
    Process.objects.filter(kind="worker").update(busy_since=world.clock())
    pass_(world, seconds=settings.SYNC_SLICE.total_seconds(), ticks=False)
    assert kinds(world) == [], "a tick waits for a slot, too"
    pass_(world, minutes=1, ticks=False)
    assert kinds(world) == ["slots_stuck"]


def test_a_stuck_worker_beside_a_working_one_is_no_standstill(world, well):
    Process.objects.filter(kind="worker").update(busy_since=world.clock())
    ProcessFactory(seen_at=world.clock())
    pass_(world, minutes=10)
    assert kinds(world) == []


def due(world):
    MailboxState.objects.update(next_sync_at=world.clock())


def test_due_mailboxes_without_an_ended_sync_are_reported_within_a_minute(world, well):
    due(world)
    pass_(world, seconds=30)
    assert kinds(world) == []
    pass_(world, seconds=20)
    assert kinds(world) == ["nothing_ends"]


def test_a_running_sync_is_a_standstill_only_after_its_time_slice(world, desk, well):
    due(world)
    SyncRunFactory(mailbox=desk, started_at=world.clock(), ended_at=None, outcome=SyncRun.Outcome.RUNNING)
    pass_(world, seconds=settings.SYNC_SLICE.total_seconds())
    assert kinds(world) == []
    pass_(world, minutes=1)
    assert kinds(world) == ["nothing_ends"]


def test_a_verification_that_occupies_the_slot_of_a_sync_is_no_standstill(world, desk, well):
    due(world)
    row = verification.begin(desk, repair=False, clock=world.clock)
    type(row).objects.update(claimed_until=world.clock() + 10 * MINUTE)
    pass_(world, minutes=2)
    assert kinds(world) == []


def test_mailboxes_behind_an_open_circuit_breaker_cause_no_standstill(world, desk, well):
    due(world)
    Integration.objects.update(held_until=world.clock() + 20 * MINUTE)
    pass_(world, minutes=2)
    assert kinds(world) == []


# ---- unreadable secrets and unfit workers -----------------------------------------------------------------------------


def set_unreadable(world, *names):
    refs = [processes.reference(world.integration)]
    Process.objects.filter(pk__in=names).update(unreadable=refs, unreadable_since=world.clock())


def test_a_secret_that_no_worker_can_decrypt_is_the_only_reported_standstill(world, well):
    due(world)
    set_unreadable(world, well[0].pk)
    (it,) = standstill.found(world.clock())
    assert (it.kind, it.about, it.error) == ("secret_unreadable", "Integration bank/mail", "secret_unreadable")
    pass_(world, minutes=5)
    assert kinds(world) == ["secret_unreadable"]


def test_a_secret_that_another_worker_can_decrypt_is_not_reported(world, well):
    set_unreadable(world, well[0].pk)
    ProcessFactory(seen_at=world.clock())
    assert kinds(world) == []


@pytest.mark.wording
def test_a_worker_that_takes_no_mailboxes_is_reported_with_the_reason(world, well):
    Process.objects.filter(pk=well[0].pk).update(fault="worker_out_of_resources", fault_since=world.clock())
    (it,) = standstill.found(world.clock())
    assert (it.kind, it.about, it.tone) == ("worker_unfit", well[0].node, "bad")
    assert "no file descriptors" in it.text
    ProcessFactory(seen_at=world.clock())
    assert standstill.found(world.clock())[0].tone == "warn", "another worker is fit"


# ---- notifications -------------------------------------------------------------------------------------------------------


def announced():
    return list(Notification.objects.order_by("created_at").values_list("kind", "facts__standstill"))


def test_a_standstill_is_one_problem_on_the_overview(world, well):
    pass_(world, minutes=2, ticks=False)
    (problem,) = alerts.problems(world.clock())
    assert (problem.about, problem.title, problem.subject) == ("standstill", "Standing still", "Beat")


def test_a_standstill_and_its_end_are_each_announced_once(world, well):
    pass_(world, minutes=2, ticks=False)
    for _ in range(3):
        standstill.announce(world.clock())
    assert announced() == [(NotificationKind.STANDING_STILL, "no_tick")]
    pass_(world)
    for _ in range(3):
        standstill.announce(world.clock())
    assert announced() == [(NotificationKind.STANDING_STILL, "no_tick"), (NotificationKind.GOING_ON, "no_tick")]
    pass_(world, minutes=2, ticks=False)
    standstill.announce(world.clock())
    assert len(announced()) == 3, "the next standstill is announced again"


def test_housekeeping_does_not_close_the_notification_of_a_standstill(world, well):
    pass_(world, minutes=2, ticks=False)
    standstill.announce(world.clock())
    housekeeping.run_checks(world.clock)
    assert Notification.objects.get().open


def test_the_process_guard_sends_notifications_that_no_worker_sends(world, well, monkeypatch):
    posted = []
    monkeypatch.setattr("notifications.delivering._post", lambda url, body, headers: posted.append(url))
    monkeypatch.setattr(process_guard, "database_now", world.clock)
    Webhook.objects.create(url="https://hooks.example/in", secret="a secret of sixteen or more")
    pass_(world, minutes=2, ticks=False)
    standstill.announce(world.clock())
    Delivery.objects.update(next_at=world.clock())
    process_guard.check_standstill()
    assert posted == [], "a worker may still send it"
    pass_(world, minutes=1, ticks=False)
    process_guard.check_standstill()
    assert posted == ["https://hooks.example/in"]


# ---- heartbeats ------------------------------------------------------------------------------------------------------


def test_a_heartbeat_keeps_the_time_at_which_an_unchanged_state_began(world):
    processes.record_heartbeat(
        "worker", "celery@here", processes.Heartbeat("away", unreadable=["integration:1"], fault="x"), world.clock()
    )
    began = world.clock()
    world.clock.turn(minutes=3)
    heartbeat = processes.Heartbeat("away", timedelta(minutes=1), ["integration:2"], "x")
    processes.record_heartbeat("worker", "celery@here", heartbeat, world.clock())
    (row,) = processes.alive(world.clock())
    assert (row.broker_since, row.unreadable_since, row.fault_since) == (began, began, began)
    assert row.busy_since == world.clock() - timedelta(minutes=1)
    processes.record_heartbeat("worker", "celery@here", processes.Heartbeat(), world.clock())
    (row,) = processes.alive(world.clock())
    assert (row.broker_since, row.unreadable_since, row.fault_since, row.busy_since) == (None, None, None, None)
    processes.sign_off()
    assert processes.alive(world.clock()) == []


def test_the_row_of_a_process_that_was_killed_is_deleted_after_a_day(world):
    ProcessFactory(seen_at=world.clock())
    world.clock.turn(hours=25)
    ProcessFactory(seen_at=world.clock(), name="new")
    processes.forget_old(world.clock())
    assert Process.objects.get().name == "new"
