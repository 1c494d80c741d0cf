"""Tests that every folder of a mailbox is read, even with many folders, a slow Exchange and short slices."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from integrations import errors
from mailboxes.models import Mailbox
from operations import failed_email_actions, mailbox_actions
from sync.jobs import runner
from sync.models import DeadLetter, LedgerEntry, MailboxState, SyncedFolder, SyncRun
from tests.actors import ADMIN
from tests.mails import NOON, comment_id_of, mail
from tests.sync.slow import Slow, slow, with_folders
from tests.sync.world import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def requested_folders(world: World) -> list[str]:
    """The names of the requested folders, in order. A response takes a tenth of a second."""
    return slow(world, 0.1)


def slices(world: World, desk: Mailbox, most: int) -> list[SyncRun]:
    """Sync until the mailbox is up to date, at most `most` times. Return the runs."""
    runs = []
    for _ in range(most):
        runs.append(world.sync(desk))
        if runs[-1].outcome == "done":
            return runs
        assert not MailboxState.objects.get().up_to_date
    raise AssertionError(f"not up to date after {most} slices: {[run.outcome for run in runs]}")


@pytest.mark.long
@pytest.mark.parametrize(
    ("count", "seconds", "length", "expected"), [(61, 0.1, 4, 2), (300, 0.6, 120, 2), (61, 5, 4, 61), (20, 3, 0, 20)]
)
def test_all_folders_are_reached_when_they_do_not_fit_into_a_slice(
    world: World, settings, count, seconds, length, expected
):
    settings.SYNC_SLICE = timedelta(seconds=length)
    requested_folders = slow(world, seconds)
    desk = with_folders(world, count)
    box = world.mailboxes[desk.address]
    last = f"Folder {count - 6:03}"
    for passes in range(2):
        box.deliver(mail(f"last{passes}"), last)
        runs = slices(world, desk, expected + 1)
        assert expected <= len(runs) <= expected + 1
        assert [run.outcome for run in runs[:-1]] == ["yielded"] * (len(runs) - 1)
        assert len(requested_folders) == len(set(requested_folders)) == count, "each folder is requested once in a pass"
        assert MailboxState.objects.get().up_to_date
        requested_folders.clear()
    world.assert_all_is_well(["last0", "last1"])


def test_folders_without_a_turn_are_read_first_even_after_a_failure(world: World, requested_folders):
    desk = with_folders(world, 20)
    box = world.mailboxes[desk.address]
    box.fail("folders", errors.ExchangeBusy())
    world.sync(desk)
    assert requested_folders == []
    calls = iter(range(100))

    class Busy(Slow):
        def changes(self, folder, after):
            if next(calls) % 7 == 6:
                raise errors.ExchangeBusy
            return super().changes(folder, after)

    world.wrap = lambda port, it: Busy(it, world, 0.1, requested_folders) if port == "source" else it
    outcomes = []
    while "done" not in outcomes and len(outcomes) < 9:
        outcomes.append(world.sync(desk).outcome)
        world.clock.turn(minutes=20)
    assert outcomes == ["failed"] * 3 + ["done"]
    assert len(requested_folders) == len(set(requested_folders)) == 20


def test_a_folder_that_appears_or_has_to_be_listed_again_during_a_pass_is_read_in_that_pass(
    world: World, requested_folders, settings
):
    settings.SYNC_SLICE = timedelta(seconds=1)
    desk = with_folders(world, 20)
    box = world.mailboxes[desk.address]
    slices(world, desk, 4)
    requested_folders.clear()
    world.sync(desk)
    done = list(requested_folders)
    assert 5 < len(done) < 15
    box.create_folder("Brand new")
    box.deliver(mail("new"), "Brand new")
    box.rename_folder(done[-1], "Renamed")
    box.delete_folder("Folder 014")
    mailbox_actions.list_folder_again(ADMIN, SyncedFolder.objects.get(path=[done[5]]))
    slices(world, desk, 4)
    waiting = {f"Folder {number:03}" for number in range(14)} - set(done)
    assert sorted(requested_folders[len(done) :]) == sorted(waiting | {"Brand new", done[5]})
    world.assert_all_is_well(["new"])


def test_when_the_filter_changes_during_a_pass_every_folder_is_listed_with_the_new_filter(
    world: World, requested_folders, settings
):
    settings.SYNC_SLICE = timedelta(seconds=1)
    desk = with_folders(world, 20, folder_deny=[["Folder 000"]])
    box = world.mailboxes[desk.address]
    box.deliver(mail("denied"), "Folder 000")
    world.sync(desk)
    assert "Folder 000" in requested_folders
    Mailbox.objects.update(folder_deny=[])
    slices(world, desk, 4)
    world.assert_all_is_well(["denied"])


def test_on_a_first_sync_of_many_slices_an_item_in_a_wanted_folder_wins(world: World, settings):
    settings.SYNC_SLICE, world.page_size = timedelta(seconds=1), 2
    slow(world, 0.6)
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    names = [f"mail{number}" for number in range(9)]
    for name in names:
        box.copy(box.deliver(mail(name)), "Deleted Items")
    slices(world, desk, 40)
    assert {world.folder_of(name) for name in names} == {"Inbox"}
    world.assert_all_is_well(names)


def backfill(world: World, desk: Mailbox, folder: str, count: int) -> list[str]:
    box = world.mailboxes[desk.address]
    names = [f"{folder.replace(' ', '-')}-{number}" for number in range(count)]
    for name in names:
        box.deliver(mail(name), folder)
    return names


@pytest.mark.long
def test_new_mail_of_the_inbox_does_not_wait_for_a_backfill(world: World, requested_folders, settings):
    settings.SYNC_SLICE, settings.FETCH_COUNT, world.page_size = timedelta(seconds=4), 2, 4
    desk = with_folders(world, 12)
    box = world.mailboxes[desk.address]
    names = backfill(world, desk, "Folder 001", 150) + backfill(world, desk, "Folder 003", 150)
    runs = [world.sync(desk), world.sync(desk), world.sync(desk)]
    slice_of = {}
    while runs[-1].outcome != "done":
        name = f"live-{len(runs)}"
        box.deliver(mail(name), "Inbox" if len(runs) % 2 else "Folder 006")
        names.append(name)
        before = len(world.bucket().comments)
        runs.append(world.sync(desk))
        slice_of[name] = comment_id_of(name) in world.bucket().comments
        assert len(world.bucket().comments) > before + 1, "the backfill also makes progress"
        assert len(runs) < 60
    assert len(runs) > 8
    assert all(slice_of.values()), "new mail arrives in the next slice"
    world.assert_all_is_well(names)


def test_two_backfills_take_turns(world: World, requested_folders, settings):
    settings.SYNC_SLICE, settings.FETCH_COUNT, world.page_size = timedelta(seconds=3), 2, 4
    desk = with_folders(world, 8)
    backfill(world, desk, "Folder 000", 200)
    backfill(world, desk, "Folder 001", 200)
    for _ in range(8):
        world.sync(desk)
    done = [folder.copies.count() for folder in desk.folders.filter(path__in=[["Folder 000"], ["Folder 001"]])]
    assert min(done) > max(done) / 2 > 20


def test_the_backlog_and_a_backfill_take_turns(world: World, requested_folders, settings):
    settings.SYNC_SLICE, settings.FETCH_COUNT, world.page_size = timedelta(seconds=3), 2, 4
    desk = with_folders(world, 8)
    box = world.mailboxes[desk.address]
    bad = box.deliver(mail("bad"))
    box.break_item(bad, "ErrorMimeContentConversionFailed")
    box.deliver(mail("renamed"), "Folder 001")
    slices(world, desk, 3)
    box.mend_item(bad)
    backfill(world, desk, "Folder 000", 300)
    world.sync(desk)
    failed_email_actions.retry_many(ADMIN, DeadLetter.objects.all(), world.clock)
    box.rename_folder("Folder 001", "Another name")
    outcomes = [world.sync(desk).outcome for _ in range(3)]
    assert set(outcomes) == {"yielded"}, "the backfill has not ended"
    assert world.folder_of("renamed") == "Another name"
    assert comment_id_of("bad") in world.bucket().comments


def test_the_backlog_has_its_turn_although_the_folders_fill_whole_slices(world: World, settings):
    settings.SYNC_SLICE = timedelta(0)
    slow(world, 0.1)
    desk = with_folders(world, 8)
    box = world.mailboxes[desk.address]
    box.deliver(mail("renamed"), "Folder 001")
    slices(world, desk, 20)
    box.rename_folder("Folder 001", "Another name")
    slices(world, desk, 20)
    assert world.folder_of("renamed") == "Another name"


def test_a_backlog_that_fails_in_every_sync_delays_no_folder(world: World, requested_folders):
    desk = with_folders(world, 8)
    box = world.mailboxes[desk.address]
    box.deliver(mail("a"))
    world.sync(desk)
    LedgerEntry.objects.update(dirty=True)

    class Failing(Slow):
        def fetch(self, changes):
            if any(LedgerEntry.objects.filter(winner_item=change.item_id, dirty=True).exists() for change in changes):
                raise errors.ExchangeBusy
            return super().fetch(changes)

    world.wrap = lambda port, it: Failing(it, world, 0.1, requested_folders) if port == "source" else it
    for number in range(3):
        box.deliver(mail(f"new{number}"), "Folder 001")
        assert world.sync(desk).outcome == "failed"
        assert comment_id_of(f"new{number}") in world.bucket().comments


@pytest.mark.parametrize("error", [errors.AccessDenied, errors.ExchangeFailed, errors.CursorRefused])
@pytest.mark.parametrize("folder", ["Inbox", "Junk Email"])
def test_a_folder_that_fails_in_every_sync_does_not_block_the_other_folders(
    world: World, requested_folders, error, folder
):
    desk = with_folders(world, 8)
    box = world.mailboxes[desk.address]
    world.sync(desk)
    failing = box.folder(folder).folder.id

    class Failing(Slow):
        def changes(self, folder, after):
            if folder == failing:
                raise error
            return super().changes(folder, after)

    usual = world.wrap
    world.wrap = lambda port, it: Failing(it, world, 0.1, requested_folders) if port == "source" else it
    box.deliver(mail("new"), "Folder 001")
    for _ in range(6):
        assert world.sync(desk).outcome == "failed"
        world.clock.turn(minutes=20)
    world.assert_all_is_well(["new"])
    assert MailboxState.objects.get().failures == 6
    world.wrap = usual
    requested_folders.clear()
    assert slices(world, desk, 2)
    assert folder in requested_folders
    world.assert_all_is_well(["new"])


def test_a_folder_in_the_tree_that_is_not_found_delays_no_other(world: World, requested_folders, settings):
    settings.SYNC_SLICE = timedelta(0)
    desk = with_folders(world, 9)
    box = world.mailboxes[desk.address]
    hidden = {folder_id for folder_id, entry in box.folders.items() if entry.folder.name in ("Inbox", "Folder 001")}
    attempts = []

    class Hidden(Slow):
        def changes(self, folder, after):
            if folder in hidden:
                attempts.append(folder)
                raise errors.FolderGone
            return super().changes(folder, after)

    world.wrap = lambda port, it: Hidden(it, world, 0.1, requested_folders) if port == "source" else it
    slices(world, desk, 10)
    assert (len(requested_folders), len(attempts)) == (7, 2)


def test_an_email_for_which_exchange_hangs_becomes_a_dead_letter_and_its_neighbours_arrive(world: World, settings):
    settings.SYNC_SLICE = timedelta(seconds=2)
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    bad = box.deliver(mail("bad"), received=NOON + timedelta(days=1))  # it is listed first
    for name in "abc":
        box.deliver(mail(name))

    class Hanging(Slow):
        def fetch(self, changes):
            if bad in {change.item_id for change in changes}:
                self._world.clock.turn(seconds=120)
                raise errors.ExchangeTimedOut
            return super().fetch(changes)

    world.wrap = lambda port, it: Hanging(it, world, 0.1, []) if port == "source" else it
    for _ in range(12):
        world.sync(desk)
        world.clock.turn(minutes=20)
    world.assert_all_is_well("abc")
    assert DeadLetter.objects.get().item_id == bad


# ---- events that end a sync at once -------------------------------------------------------------------------------


def during(world: World, act) -> None:
    """Call `act` when the first page of a folder arrives."""
    acts = iter([act])

    class Then(Slow):
        def changes(self, folder, after):
            for page in super().changes(folder, after):
                next(acts, lambda: None)()
                yield page

    world.wrap = lambda port, it: Then(it, world, 9, []) if port == "source" else it


def nothing_moved(world: World) -> bool:
    return not world.bucket().comments and not SyncedFolder.objects.exclude(cursor="").exists()


@pytest.mark.parametrize("length", [0, 120])
def test_stop_ends_a_sync_before_the_current_page_is_delivered(world: World, settings, length):
    settings.SYNC_SLICE = timedelta(seconds=length)
    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(mail("a"))
    during(world, lambda: mailbox_actions.stop(ADMIN, desk))
    assert (world.sync(desk).outcome, nothing_moved(world)) == ("stopped", True)


@pytest.mark.parametrize("length", [0, 120])
def test_a_lost_lease_ends_a_sync_before_the_current_page_is_delivered(world: World, settings, length):
    settings.SYNC_SLICE = timedelta(seconds=length)
    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(mail("a"))
    during(world, lambda: world.clock.turn(hours=1))
    assert (world.sync(desk).outcome, nothing_moved(world)) == ("lost", True)


def test_a_worker_shutdown_ends_a_sync_before_the_current_page_is_delivered(world: World, settings):
    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(mail("a"))
    requested: list[bool] = []
    during(world, lambda: requested.append(True))
    run = runner.run(desk.pk, replace(world.around(), is_shutting_down=lambda: bool(requested)))
    assert (run.outcome, nothing_moved(world)) == ("yielded", True)


# ---- number of queries --------------------------------------------------------------------------------------------


def test_an_idle_sync_needs_no_extra_writes_for_the_turns_of_its_folders(world: World):
    desk = with_folders(world, 12)
    world.sync(desk)
    world.sync(desk)
    with CaptureQueriesContext(connection) as queries:
        world.run(desk)
    writes = [sql for query in queries if (sql := query["sql"]).startswith(("UPDATE", "INSERT", "DELETE"))]
    # There are two writes for each folder: its checkpoint and the lease. Seven more writes are: at the beginning the lease, the
    # trial mark, earlier runs and the new run, then the folder tree, and at the end the state and the run.
    assert len(writes) == 2 * 12 + 7
