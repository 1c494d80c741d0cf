"""Violated invariants are reported on the overview: some while they last, others for a day after they were detected."""

from __future__ import annotations

from datetime import timedelta

import pytest

from integrations.models import Integration
from mailboxes.models import Mailbox
from sync.jobs import housekeeping
from sync.models import Activity, MailboxState, SyncedFolder, SyncRun, Tick
from sync.reporting import alerts
from sync.reporting.invariants import Invariant, broken
from tests.actors import ADMIN
from tests.mails import mail
from tests.sync.world import World


@pytest.fixture
def desk(world: World):
    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(mail("a"))
    world.sync(desk)
    return desk


def violations(world: World) -> dict[Invariant, int]:
    return {it.invariant: it.count for it in broken(world.clock())}


def titles(world: World) -> list[str]:
    return [problem.title for problem in alerts.problems(world.clock())]


def test_a_healthy_mailbox_violates_no_invariant(world: World, desk):
    for number in range(3):
        world.mailboxes[desk.address].deliver(mail(f"more {number}".replace(" ", "")))
        world.sync(desk)
        housekeeping.run_checks(world.clock)
    assert violations(world) == {}
    assert Tick.objects.get(name="watch").at == world.clock()


@pytest.mark.wording
def test_an_older_checkpoint_is_detected_once_and_reported_for_a_day(world: World, desk):
    older = SyncedFolder.objects.get(name="Inbox")
    world.mailboxes[desk.address].deliver(mail("b"))
    world.sync(desk)
    older.save()  # an older row is restored
    housekeeping.run_checks(world.clock)
    assert violations(world) == {Invariant.CHECKPOINT_WENT_BACK: 1}
    assert titles(world) == ["Checkpoint went back"]
    world.sync(desk)
    housekeeping.run_checks(world.clock)
    world.clock.turn(hours=25)
    MailboxState.objects.update(next_sync_at=world.clock())
    assert violations(world) == {}
    world.assert_all_is_well("ab")


def test_a_requested_resync_does_not_count_as_an_older_checkpoint(world: World, desk):
    from operations import mailbox_actions

    mailbox_actions.list_again(ADMIN, desk)
    world.sync(desk)
    mailbox_actions.list_folder_again(ADMIN, SyncedFolder.objects.get(name="Inbox"))
    housekeeping.run_checks(world.clock)
    world.sync(desk)
    housekeeping.run_checks(world.clock)
    assert violations(world) == {}


def test_a_cursor_that_an_admin_drops_while_the_tree_is_read_stays_dropped(world: World, desk):
    from operations import mailbox_actions

    box = world.mailboxes[desk.address]
    box.create_folder("Trades", parent="Inbox")
    inbox = SyncedFolder.objects.get(name="Inbox")
    real = SyncedFolder.save

    def dropped_meanwhile(*given, **named):
        mailbox_actions.list_folder_again(ADMIN, inbox)
        return real(*given, **named)

    SyncedFolder.save = dropped_meanwhile
    try:
        world.wrap = stopping_before("changes")
        with pytest.raises(KeyboardInterrupt):
            world.sync(desk)
    finally:
        SyncedFolder.save = real
    assert SyncedFolder.objects.get(name="Inbox").cursor == ""


def stopping_before(method: str):
    """Return a function for `World.wrap`. It wraps a source. `method` then raises KeyboardInterrupt, and the run stays open."""

    class Stopping:
        def __init__(self, it):
            self._it = it

        def __getattr__(self, name):
            if name == method:
                raise KeyboardInterrupt
            return getattr(self._it, name)

        def __enter__(self):
            return self

        def __exit__(self, *exc):
            return None

    return lambda port, it: Stopping(it) if port == "source" else it


def test_the_run_of_a_worker_that_died_is_closed_even_without_a_later_sync(world: World, desk):
    world.wrap = stopping_before("folders")
    with pytest.raises(KeyboardInterrupt):
        world.sync(desk)
    run = SyncRun.objects.filter(outcome="running").get()
    housekeeping.run_checks(world.clock)
    assert SyncRun.objects.get(pk=run.pk).outcome == "running", "its lease has not expired"
    Mailbox.objects.update(enabled=False, disabled_reason="user")
    world.clock.turn(minutes=9)
    assert violations(world) == {Invariant.LEASE_OUTLIVED: 1}
    housekeeping.run_checks(world.clock)
    assert SyncRun.objects.get(pk=run.pk).outcome == "lost"
    assert violations(world) == {}


@pytest.mark.wording
def test_a_lease_longer_than_the_maximum_is_reported(world: World, desk):
    MailboxState.objects.update(lease_until=world.clock() + timedelta(hours=1))
    assert violations(world) == {Invariant.LEASE_OUTLIVED: 1}
    assert "clock of the database" in broken(world.clock())[0].text


@pytest.mark.wording
def test_a_mailbox_that_no_worker_syncs_is_reported_with_the_reason(world: World, desk):
    other = world.mailbox("other@bank.example")
    world.sync(other)
    world.clock.turn(minutes=30)
    (it,) = broken(world.clock())
    assert (it.invariant, it.count, it.subject) == (Invariant.MAILBOX_UNTOUCHED, 2, world.integration)
    assert "No worker started a sync" in it.text
    MailboxState.objects.filter(pk=other.pk).update(lease_until=world.clock() + timedelta(minutes=2))
    (it,) = broken(world.clock())
    assert it.count == 1
    assert "waiting in the queue: all workers are busy" in it.text
    Integration.objects.update(most_at_once=1)
    assert "maximum number of mailboxes at once (1)" in broken(world.clock())[0].text


def test_a_changed_text_that_re_infer_counts_is_reported(world: World, desk):
    Activity.objects.update(text_changes=2)
    (it,) = broken(world.clock())
    assert (it.invariant, it.count, it.subject) == (Invariant.TEXT_CHANGED, 2, desk.bucket)
    assert titles(world) == ["Texts changed"]


def test_text_changes_of_a_run_are_reported(world: World, desk):
    from sync.engine.records import RunCounts
    from sync.jobs import activity

    activity.add(desk, RunCounts(updated=1, text_changes=1), world.clock())
    assert violations(world) == {Invariant.TEXT_CHANGED: 1}


@pytest.mark.wording
def test_repeated_checkpoint_changes_during_syncs_are_reported(world: World, desk):
    from operations import mailbox_actions

    for number in range(3):
        world.mailboxes[desk.address].deliver(mail(f"m{number}"))
        around = world.open_sink

        def drop(*given, around=around):
            sink = around(*given)
            sink.before_push = lambda comments: mailbox_actions.list_folder_again(
                ADMIN, SyncedFolder.objects.get(name="Inbox")
            )
            return sink

        world.open_sink = drop
        assert world.sync(desk).error_kind == "checkpoint_moved"
        world.open_sink = around
        world.clock.turn(minutes=10)
        world.sync(desk)
    assert violations(world) == {Invariant.CHECKPOINT_MOVED: 1}
    assert "3 syncs in the last 24 hours" in broken(world.clock())[0].text
    world.assert_all_is_well(["a", "m0", "m1", "m2"])
