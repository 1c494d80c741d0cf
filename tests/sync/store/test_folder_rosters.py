"""Tests of `sync.engine.folder_totals`: an email that no change report contains is found by the total of its folder."""

from __future__ import annotations

from datetime import timedelta

import pytest

from integrations.messages import Change, ChangeKind, ChangePage, Cursor, FolderId, ItemId
from sync.models import MailboxState, ReportedItem, SyncedFolder
from sync.store.checkpoints import DatabaseCheckpoints
from sync.store.lease import Lease
from tests.mails import mail
from tests.sync.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[False, True], ids=["new ids", "stable ids"])
def world(db, request):
    return World(keeps_ids=request.param)


@pytest.fixture
def desk(world):
    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(mail("a"))
    world.mailboxes[desk.address].deliver(mail("b"))
    world.sync(desk)
    return desk


def hours_pass(world: World, desk, hours: int = 1) -> None:
    """Let hours pass, with a sync every 20 minutes."""
    for _ in range(hours * 3):
        world.clock.turn(minutes=20)
        world.sync(desk)


def listings(world: World, name: str = "Inbox") -> int:
    """Return how often this folder was listed from its beginning."""
    box = next(iter(world.mailboxes.values()))
    return sum(source.listed.count(box.folder(name).folder.id) for source in world.sources)


def folder(name: str = "Inbox") -> SyncedFolder:
    return SyncedFolder.objects.get(name=name)


def test_an_unreported_email_arrives_within_two_hours_and_is_billed_once(world: World, desk):
    world.mailboxes[desk.address].deliver(mail("lost"), reported=False)
    hours_pass(world, desk, 2)
    world.assert_all_is_well(["a", "b", "lost"])
    assert world.bucket().billed == 3
    assert listings(world) == 2
    hours_pass(world, desk, 5)
    assert listings(world) == 2
    assert (folder().counted, folder().usual_difference) == (3, 0)


def test_each_unreported_email_causes_one_listing(world: World, desk):
    for number in range(3):
        world.mailboxes[desk.address].deliver(mail(f"lost{number}"), reported=False)
        hours_pass(world, desk, 3)
    world.assert_all_is_well(["a", "b", "lost0", "lost1", "lost2"])
    assert listings(world) == 4


def test_a_difference_that_a_listing_does_not_remove_is_stored_and_causes_only_one_listing(world: World, desk):
    box = world.mailboxes[desk.address]
    box.deliver(mail("hidden"), listed=False)
    hours_pass(world, desk, 6)
    assert listings(world) == 2
    assert folder().usual_difference == 1
    assert folder().difference_sentence
    box.deliver(mail("lost"), reported=False)
    hours_pass(world, desk, 6)
    world.assert_all_is_well(["a", "b", "lost"])
    assert listings(world) == 3
    assert folder().usual_difference == 1


def test_a_folder_that_is_not_wanted_is_compared_too(world: World, desk):
    box = world.mailboxes[desk.address]
    box.deliver(mail("lost"), "Deleted Items", reported=False)
    hours_pass(world, desk, 4)
    assert (listings(world, "Deleted Items"), listings(world)) == (2, 1)
    assert folder("Deleted Items").counted == 1


def test_ordinary_changes_cause_no_listing(world: World, desk):
    box = world.mailboxes[desk.address]
    for number in range(30):
        item = box.deliver(mail(f"m{number}"))
        world.sync(desk)
        world.clock.turn(minutes=7)
        box.edit(item, mail(f"m{number}", subject="edited"))
        box.read(item)
        if number % 3 == 0:
            item = box.move(item, "Sent Items")
            if number % 2:
                box.move(item, "Inbox")
        elif number % 3 == 1:
            box.delete(item)
        world.sync(desk)
    hours_pass(world, desk, 4)
    assert (listings(world), listings(world, "Sent Items")) == (1, 1)
    for name in ("Inbox", "Sent Items"):
        assert folder(name).counted == len(box.folder(name).items)
        assert folder(name).usual_difference == 0


def test_mail_that_arrives_after_the_total_was_read_is_no_difference(world: World, desk):
    box = world.mailboxes[desk.address]
    arrivals = iter(range(1000))

    class Busy:
        """A source of a mailbox in which an email arrives, or is deleted, after each read of the folder tree."""

        def __init__(self, it):
            self._it = it

        def __getattr__(self, name):
            return getattr(self._it, name)

        def folders(self, after):
            changes = self._it.folders(after)
            number = next(arrivals)
            if number % 3 == 2:
                box.delete(next(iter(box.folder("Inbox").items)))
            else:
                box.deliver(mail(f"m{number}"))
            return changes

        def __enter__(self):
            return self

        def __exit__(self, *exc):
            self._it.close()

    world.wrap = lambda port, it: Busy(it) if port == "source" else it
    hours_pass(world, desk, 8)
    assert listings(world) == 1
    assert folder().usual_difference == 0


def test_a_late_report_causes_no_listing(world: World, desk):
    box = world.mailboxes[desk.address]
    item = box.deliver(mail("late"), reported=False)
    hours_pass(world, desk, 1)
    for _ in range(12):  # until the difference is detected
        if folder().doubted_total is not None:
            break
        world.clock.turn(minutes=10)
        world.sync(desk)
    assert folder().doubted_difference == 1
    box.folder("Inbox").log.append((ChangeKind.CREATED, item))
    hours_pass(world, desk, 3)
    world.assert_all_is_well(["a", "b", "late"])
    assert listings(world) == 1


def test_an_unreported_email_that_a_user_reads_arrives(world: World, desk):
    box = world.mailboxes[desk.address]
    box.read(box.deliver(mail("lost"), reported=False))
    hours_pass(world, desk, 2)
    world.assert_all_is_well(["a", "b", "lost"])


def test_the_whole_tree_is_requested_about_once_an_hour(world: World, desk):
    whole_tree: list[bool] = []

    class Recording:
        def __init__(self, it):
            self._it = it

        def __getattr__(self, name):
            return getattr(self._it, name)

        def folders(self, after):
            whole_tree.append(after is None)
            return self._it.folders(after)

        def __enter__(self):
            return self

        def __exit__(self, *exc):
            self._it.close()

    world.wrap = lambda port, it: Recording(it) if port == "source" else it
    for _ in range(5 * 12):
        world.clock.turn(minutes=5)
        world.sync(desk)
    assert 3 <= sum(whole_tree) <= 5


def test_a_folder_without_a_count_is_counted_from_its_next_listing_on(world: World, desk):
    SyncedFolder.objects.update(counted=None)
    ReportedItem.objects.all().delete()
    MailboxState.objects.update(whole_tree_at=None)
    world.mailboxes[desk.address].deliver(mail("lost"), reported=False)
    world.mailboxes[desk.address].deliver(mail("c"))
    hours_pass(world, desk, 4)
    assert listings(world) == 1
    assert folder().counted is None
    assert not ReportedItem.objects.exists()
    MailboxState.objects.update(list_again=True)
    world.sync(desk)
    world.assert_all_is_well(["a", "b", "c", "lost"])
    assert folder().counted == 4
    hours_pass(world, desk, 4)
    assert listings(world) == 2


def test_a_refused_folder_is_not_compared(world: World, desk):
    box = world.mailboxes[desk.address]
    box.deliver(mail("lost"), reported=False)
    box.forbid_folder("Inbox")
    hours_pass(world, desk, 4)
    assert folder().doubted_total is None
    box.permit_folder("Inbox")
    hours_pass(world, desk, 3)
    world.assert_all_is_well(["a", "b", "lost"])


def test_every_item_is_counted_once_however_often_it_is_reported(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    inbox = box.folder("Inbox").folder.id
    lease = Lease.take(desk.pk, timedelta(minutes=3), world.clock)
    assert lease is not None
    checkpoints = DatabaseCheckpoints(lease, desk.address)
    checkpoints.record_folders(world.open_source(desk.integration, desk.address).folders(None), complete=True)
    cursor = None

    def count_after(*changes: tuple[ChangeKind, str], of: FolderId = inbox, last: bool = True) -> int | None:
        nonlocal cursor
        page = ChangePage(
            tuple(Change(kind, of, ItemId(item)) for kind, item in changes),
            Cursor(f"{len(ReportedItem.objects.all())} {world.clock()} {cursor}"[:60]),
            last,
        )
        checkpoints.advance(inbox, page, before=cursor, wanted="w")
        cursor = page.cursor
        world.clock.turn(seconds=1)
        return folder().counted

    created, updated, deleted, read = ChangeKind.CREATED, ChangeKind.UPDATED, ChangeKind.DELETED, ChangeKind.READ
    assert count_after((created, "a"), (created, "b"), last=False) == 2
    assert count_after((created, "b"), (created, "c"), last=False) == 3, "a listing contains b on two pages"
    assert count_after((created, "d")) == 4
    assert count_after((created, "e"), (updated, "e")) == 5, "new and changed"
    assert count_after((updated, "a"), (updated, "f")) == 6, "an update of an unknown item counts as new"
    assert count_after((deleted, "f"), (deleted, "never reported")) == 5
    assert count_after((deleted, "a")) == 4
    assert count_after((deleted, "a")) == 4
    assert count_after((updated, "a")) == 5, "removed and added again"
    assert count_after((read, "a"), (read, "unknown")) == 5


def test_an_item_that_is_reported_in_another_folder_is_counted_there_once(db):
    world = World(keeps_ids=True)
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    item = box.deliver(mail("a"))
    world.sync(desk)
    inbox, sent = folder("Inbox"), folder("Sent Items")
    lease = Lease.take(desk.pk, timedelta(minutes=3), world.clock)
    assert lease is not None
    checkpoints = DatabaseCheckpoints(lease, desk.address)
    there = Change(ChangeKind.UPDATED, FolderId(sent.folder_id), item)
    page = ChangePage((there,), Cursor(inbox.cursor + " moved"), last=True)
    checkpoints.advance(FolderId(inbox.folder_id), page, before=Cursor(inbox.cursor), wanted="w")
    assert (folder("Inbox").counted, folder("Sent Items").counted) == (0, 1)
    page = ChangePage((there,), Cursor(sent.cursor + " reported"), last=True)
    checkpoints.advance(FolderId(sent.folder_id), page, before=Cursor(sent.cursor), wanted="w")
    assert folder("Sent Items").counted == 1
