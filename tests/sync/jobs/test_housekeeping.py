"""What must never be is seen while it is, told among what needs attention, and gone when it is over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from integrations.models import Integration
from mailboxes.models import Mailbox
from sync.jobs import housekeeping
from sync.models import Activity, MailboxState, SyncedFolder, SyncRun, Tick
from sync.reporting import attention
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


def found(world: World) -> dict[Invariant, int]:
    return {it.invariant: it.count for it in broken(world.clock())}


def titles(world: World) -> list[str]:
    return [problem.title for problem in attention.problems(world.clock())]


def test_nothing_is_found_where_all_is_well(world: World, desk):
    for number in range(3):
        world.mailboxes[desk.address].deliver(mail(f"more {number}".replace(" ", "")))
        world.sync(desk)
        housekeeping.look(world.clock)
    assert found(world) == {}
    assert Tick.objects.get(name="watch").at == world.clock()


@pytest.mark.wording
def test_a_checkpoint_that_went_back_is_noticed_once_and_told_for_a_day(world: World, desk):
    older = SyncedFolder.objects.get(name="Inbox")
    world.mailboxes[desk.address].deliver(mail("b"))
    world.sync(desk)
    older.save()  # somebody put an older row back
    housekeeping.look(world.clock)
    assert found(world) == {Invariant.CHECKPOINT_WENT_BACK: 1}
    assert titles(world) == ["Checkpoint went back"]
    world.sync(desk)
    housekeeping.look(world.clock)
    world.clock.turn(hours=25)
    MailboxState.objects.update(next_sync_at=world.clock())
    assert found(world) == {}
    world.assert_all_is_well("ab")


def test_dropping_a_cursor_on_purpose_is_no_going_back(world: World, desk):
    from operations import mailbox_actions

    mailbox_actions.list_again(ADMIN, desk)
    world.sync(desk)
    mailbox_actions.list_folder_again(ADMIN, SyncedFolder.objects.get(name="Inbox"))
    housekeeping.look(world.clock)
    world.sync(desk)
    housekeeping.look(world.clock)
    assert found(world) == {}


def test_a_cursor_that_an_admin_drops_while_the_tree_is_read_stays_dropped(world: World, desk):
    from operations import mailbox_actions

    box = world.mailboxes[desk.address]
    box.create_folder("Trades", parent="Inbox")
    inbox = SyncedFolder.objects.get(name="Inbox")
    real = SyncedFolder.save

    def dropped_meanwhile(row, *given, **named):
        mailbox_actions.list_folder_again(ADMIN, inbox)
        return real(row, *given, **named)

    SyncedFolder.save = dropped_meanwhile
    try:
        world.wrap = stopping_before("changes")
        with pytest.raises(KeyboardInterrupt):
            world.sync(desk)
    finally:
        SyncedFolder.save = real
    assert SyncedFolder.objects.get(name="Inbox").cursor == ""


def stopping_before(method: str):
    """A port that ends the run, unseen by anybody, where this method is called."""

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


def test_the_run_of_a_worker_that_died_is_closed_although_no_sync_comes_after_it(world: World, desk):
    world.wrap = stopping_before("folders")
    with pytest.raises(KeyboardInterrupt):
        world.sync(desk)
    run = SyncRun.objects.filter(outcome="running").get()
    housekeeping.look(world.clock)
    assert SyncRun.objects.get(pk=run.pk).outcome == "running", "its lease still holds"
    Mailbox.objects.update(enabled=False, disabled_reason="user")
    world.clock.turn(minutes=9)
    assert found(world) == {Invariant.LEASE_OUTLIVED: 1}
    housekeeping.look(world.clock)
    assert SyncRun.objects.get(pk=run.pk).outcome == "lost"
    assert found(world) == {}


@pytest.mark.wording
def test_a_lease_that_holds_longer_than_any_may_is_told(world: World, desk):
    MailboxState.objects.update(lease_until=world.clock() + timedelta(hours=1))
    assert found(world) == {Invariant.LEASE_OUTLIVED: 1}
    assert "clock of the database" in broken(world.clock())[0].text


@pytest.mark.wording
def test_a_mailbox_that_nobody_touches_is_told_with_why(world: World, desk):
    other = world.mailbox("other@bank.example")
    world.sync(other)
    world.clock.turn(minutes=30)
    (it,) = broken(world.clock())
    assert (it.invariant, it.count, it.subject) == (Invariant.MAILBOX_UNTOUCHED, 2, world.integration)
    assert "No worker took them" in it.text
    MailboxState.objects.filter(pk=other.pk).update(lease_until=world.clock() + timedelta(minutes=2))
    (it,) = broken(world.clock())
    assert it.count == 1
    assert "waiting in the queue: all workers are busy" in it.text
    Integration.objects.update(most_at_once=1)
    assert "maximum number of mailboxes at once (1)" in broken(world.clock())[0].text


def test_a_text_that_re_infer_says_we_changed_is_an_alarm(world: World, desk):
    Activity.objects.update(text_changes=2)
    (it,) = broken(world.clock())
    assert (it.invariant, it.count, it.subject) == (Invariant.TEXT_CHANGED, 2, desk.bucket)
    assert titles(world) == ["Texts changed"]


def test_text_changes_in_an_answer_are_added_to_the_hour(world: World, desk):
    from sync.engine.records import RunCounts
    from sync.jobs import activity

    activity.add(desk, RunCounts(updated=1, text_changes=1), world.clock())
    assert found(world) == {Invariant.TEXT_CHANGED: 1}


@pytest.mark.wording
def test_checkpoints_that_keep_moving_under_syncs_are_told(world: World, desk):
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
    assert found(world) == {Invariant.CHECKPOINT_MOVED: 1}
    assert "3 syncs in the last 24 hours" in broken(world.clock())[0].text
    world.assert_all_is_well(["a", "m0", "m1", "m2"])
