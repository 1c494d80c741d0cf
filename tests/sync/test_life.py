"""What happens to mail in a mailbox's life, and what Re:infer holds afterwards."""

from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from mailboxes.models import Mailbox
from operations import mailbox_actions
from sync.jobs import runner
from sync.models import DeadLetter, LedgerEntry, MailboxItem, SyncedFolder
from tests.actors import ADMIN
from tests.fakes.exchange import FakeMailbox
from tests.mails import NOON, comment_id_of, mail
from tests.sync.world import World


@pytest.fixture(params=[(False, False), (True, False), (True, True)], ids=["new ids", "ids stay", "quiet moves"])
def world(db, request):
    """Over an Exchange that gives moved items new ids, over one that does not, and over one whose folders do not tell what is
    moved into them: a life must come out the same."""
    keeps_ids, quiet_moves = request.param
    return World(keeps_ids=keeps_ids, quiet_moves=quiet_moves)


def test_every_email_becomes_one_comment(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    box.deliver(mail("a"))
    box.deliver(mail("b"), "Sent Items")
    run = world.sync(desk)
    world.assert_all_is_well(["a", "b"])
    assert (run.outcome, run.created, run.updated) == ("done", 2, 0)
    assert world.folder_of("b") == "Sent Items"
    assert world.ai_units() == 2


def test_a_second_sync_of_an_unchanged_mailbox_fetches_and_pushes_nothing(world: World):
    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(mail("a"))
    world.sync(desk)
    fetched, pushes = world.fetched(), world.pushes()
    run = world.sync(desk)
    assert (world.fetched(), world.pushes()) == (fetched, pushes)
    assert (run.listed, run.created, run.updated) == (0, 0, 0)


def test_an_email_that_moves_takes_its_folder_along_and_costs_nothing(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    box.create_folder("Done", parent="Inbox")
    item = box.deliver(mail("a"))
    world.sync(desk)
    box.move(item, "Done")
    run = world.sync(desk)
    assert world.folder_of("a") == "Inbox/Done"
    assert (run.created, run.updated) == (0, 1)
    world.assert_all_is_well(["a"])


def test_an_email_that_moves_into_the_deleted_items_is_followed_there(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    item = box.deliver(mail("a"))
    box.deliver(mail("never synced"), "Deleted Items")
    world.sync(desk)
    box.move(item, "Deleted Items")
    world.sync(desk)
    assert world.folder_of("a") == "Deleted Items"
    world.assert_all_is_well(["a"])


def test_an_email_that_comes_back_from_the_deleted_items_is_followed_too(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    item = box.deliver(mail("a"))
    world.sync(desk)
    item = box.move(item, "Deleted Items")
    world.sync(desk)
    box.move(item, "Inbox")
    world.sync(desk)
    assert world.folder_of("a") == "Inbox"
    world.assert_all_is_well(["a"])


def test_a_copy_in_the_deleted_items_does_not_win_over_the_one_in_a_wanted_folder_at_first_sync(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    box.copy(box.deliver(mail("a")), "Deleted Items")
    world.sync(desk)
    assert world.folder_of("a") == "Inbox"


def test_a_renamed_folder_renames_the_folder_of_all_its_mail(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    box.create_folder("Trades", parent="Inbox")
    box.create_folder("2026", parent="Trades")
    box.deliver(mail("a"), "Trades")
    box.deliver(mail("b"), "2026")
    box.deliver(mail("c"))
    world.sync(desk)
    box.rename_folder("Trades", "Deals")
    run = world.sync(desk)
    assert [world.folder_of(name) for name in "abc"] == ["Inbox/Deals", "Inbox/Deals/2026", "Inbox"]
    assert run.updated == 2
    world.assert_all_is_well(["a", "b", "c"])


def test_an_email_that_left_its_folder_and_came_back_between_two_syncs_follows_the_next_rename(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    box.create_folder("Trades", parent="Inbox")
    item = box.deliver(mail("a"), "Trades")
    world.sync(desk)
    fetched = world.fetched()
    box.move(box.move(item, "Inbox"), "Trades")
    world.sync(desk)
    assert world.fetched() == fetched
    assert MailboxItem.objects.count() == 1
    box.rename_folder("Trades", "Deals")
    world.sync(desk)
    assert world.folder_of("a") == "Inbox/Deals"
    world.assert_all_is_well(["a"])


class MigratesAfterTheTree:
    """A source whose mailbox gets all new ids right after its tree was told."""

    def __init__(self, source, box):
        self._source, self._box = source, box

    def __getattr__(self, name):
        return getattr(self._source, name)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._source.close()

    def folders(self, after):
        told = self._source.folders(after)
        self._box.migrate()
        return told


def test_a_mailbox_that_migrates_while_a_renamed_folder_is_followed_tells_its_new_name_all_the_same(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    box.create_folder("Trades", parent="Inbox")
    box.deliver(mail("a"), "Trades")
    world.sync(desk)
    box.rename_folder("Trades", "Deals")
    plain = world.wrap
    world.wrap = lambda port, it: MigratesAfterTheTree(it, box) if port == "source" else it
    world.sync(desk)
    world.wrap = plain
    world.sync(desk)
    assert world.folder_of("a") == "Inbox/Deals"
    world.assert_all_is_well(["a"])


def test_the_same_email_in_two_mailboxes_is_one_comment_with_the_metadata_of_the_copy_synced_last(world: World):
    desk, sales = world.mailbox("desk@bank.example"), world.mailbox("sales@bank.example")
    for mailbox in (desk, sales):
        world.mailboxes[mailbox.address].deliver(mail("a"))
    world.sync(desk)
    run = world.sync(sales)
    assert (run.created, run.updated) == (0, 1)
    assert world.comment("a").properties["string:Mailbox"] == "sales@bank.example"
    world.sync_all(rounds=2)
    assert world.comment("a").properties["string:Mailbox"] == "sales@bank.example"
    assert len(world.bucket().writes[comment_id_of("a")]) == 2
    world.assert_all_is_well(["a"])


def test_the_same_email_in_two_buckets_is_a_comment_in_each(world: World):
    desk, sales = world.mailbox("desk@bank.example"), world.mailbox("sales@bank.example", bucket="sales")
    for mailbox in (desk, sales):
        world.mailboxes[mailbox.address].deliver(mail("a"))
    world.sync_all()
    world.assert_all_is_well(["a"], "desks")
    world.assert_all_is_well(["a"], "sales")


def test_an_edited_email_keeps_the_text_it_had(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    box.create_folder("Done")
    item = box.deliver(mail("a", body="First words"))
    world.sync(desk)
    box.edit(item, mail("a", subject="Another subject", body="Other words"))
    world.sync(desk)
    box.move(item, "Done")
    world.sync(desk)
    comment = world.comment("a")
    assert comment.message.body.strip() == "First words"
    assert comment.message.subject == "About a"
    assert world.folder_of("a") == "Done"
    world.assert_all_is_well(["a"])


def test_reading_an_email_fetches_nothing(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    item = box.deliver(mail("a"))
    world.sync(desk)
    box.read(item)
    before = world.fetched()
    world.sync(desk)
    assert world.fetched() == before


def test_a_deleted_email_stays_a_comment(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    item = box.deliver(mail("a"))
    world.sync(desk)
    box.delete(item)
    world.sync(desk)
    world.assert_all_is_well(["a"])
    assert not MailboxItem.objects.exists()


def test_a_start_time_leaves_older_mail_alone(world: World):
    desk = world.mailbox(start_at=NOON)
    box = world.mailboxes[desk.address]
    box.deliver(mail("old"), received=NOON - timedelta(days=1))
    box.deliver(mail("new"), received=NOON)
    run = world.sync(desk)
    world.assert_all_is_well(["new"])
    assert (run.not_wanted, world.fetched()) == (1, 1)


def test_an_earlier_start_time_set_later_brings_the_older_mail(world: World):
    desk = world.mailbox(start_at=NOON)
    box = world.mailboxes[desk.address]
    box.deliver(mail("old"), received=NOON - timedelta(days=1))
    box.deliver(mail("new"), received=NOON)
    world.sync(desk)
    Mailbox.objects.update(start_at=None)
    run = world.sync(desk)
    world.assert_all_is_well(["old", "new"])
    assert (run.created, run.unchanged, world.fetched()) == (1, 1, 2)


def test_a_filter_widened_later_brings_what_it_had_kept_out(world: World):
    desk = world.mailbox(folder_deny=[["Inbox", "Private"]])
    box = world.mailboxes[desk.address]
    box.create_folder("Private", parent="Inbox")
    box.deliver(mail("private"), "Private")
    box.deliver(mail("a"))
    world.sync(desk)
    world.assert_all_is_well(["a"])
    Mailbox.objects.update(folder_deny=[])
    world.sync(desk)
    world.assert_all_is_well(["a", "private"])
    assert world.fetched() == 2


def test_a_participant_filter_keeps_mail_out_without_fetching_it_twice(world: World):
    desk = world.mailbox(domain_deny=["bots.example"])
    box = world.mailboxes[desk.address]
    box.deliver(mail("bot", sender="bot@bots.example"))
    box.deliver(mail("a"))
    world.sync(desk)
    world.assert_all_is_well(["a"])
    mailbox_actions.list_again(ADMIN, desk)
    world.sync(desk)
    assert world.fetched() == 2
    Mailbox.objects.update(domain_deny=[])
    world.sync(desk)
    world.assert_all_is_well(["a", "bot"])


def test_a_mailbox_that_changes_its_bucket_fills_the_new_one(world: World):
    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(mail("a"))
    world.sync(desk)
    other = world.mailbox("other@bank.example", bucket="other")
    Mailbox.objects.filter(pk=desk.pk).update(bucket=other.bucket)
    world.sync(desk)
    world.assert_all_is_well(["a"], "other")
    world.assert_all_is_well(["a"], "desks")


def test_listing_again_pushes_nothing_and_fetches_nothing(world: World):
    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(mail("a"))
    world.sync(desk)
    mailbox_actions.list_again(ADMIN, desk)
    run = world.sync(desk)
    assert (run.listed, run.unchanged, world.fetched(), world.pushes()) == (1, 1, 1, 1)


def test_cursors_that_the_server_forgot_cost_nothing(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    box.deliver(mail("a"))
    world.sync(desk)
    box.forget_cursors()
    box.deliver(mail("b"))
    run = world.sync(desk)
    assert run.outcome == "done"
    assert world.fetched() == 2
    world.assert_all_is_well(["a", "b"])


def test_a_migrated_mailbox_is_known_again_without_fetching(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    box.create_folder("Done")
    item = box.deliver(mail("a"))
    world.sync(desk)
    box.migrate()
    run = world.sync(desk)
    assert (run.outcome, run.unchanged, world.fetched()) == ("done", 1, 1)
    item = next(iter(box.folder("Inbox").items))
    box.move(item, "Done")
    world.sync(desk)
    assert world.folder_of("a") == "Done"
    world.assert_all_is_well(["a"])


def test_a_bucket_that_another_installation_had_filled_is_adopted_and_not_billed(world: World):
    elsewhere = World.mailbox(world, "elsewhere@bank.example")
    world.mailboxes[elsewhere.address].deliver(mail("a"))
    world.sync(elsewhere)
    # Our database forgets everything: the bucket was filled by another installation.
    elsewhere.delete()
    LedgerEntry.objects.all().delete()
    world.destination.buckets.update(trusted=False, examined_at=None)
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    item = box.deliver(mail("a"))
    box.deliver(mail("b"))
    run = world.sync(desk)
    world.assert_all_is_well(["a", "b"])
    assert (run.created, world.ai_units()) == (1, 1)
    assert world.comment("a").properties["string:Mailbox"] == "elsewhere@bank.example"
    box.create_folder("Done")
    box.move(item, "Done")
    world.sync(desk)
    assert world.folder_of("a") == "Done"
    world.assert_all_is_well(["a", "b"])


def test_two_different_emails_under_one_message_id_are_one_comment_and_counted_as_a_collision(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    box.deliver(mail("a", subject="One"))
    world.sync(desk)
    box.deliver(mail("a", subject="Another"))
    world.sync(desk)
    world.assert_all_is_well(["a"])
    assert LedgerEntry.objects.filter(collision=True).count() == 1


def test_a_folder_that_was_deleted_is_no_trouble(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    box.create_folder("Old")
    box.deliver(mail("a"), "Old")
    world.sync(desk)
    box.delete_folder("Old")
    assert world.sync(desk).outcome == "done"
    assert SyncedFolder.objects.get(name="Old").gone
    world.assert_all_is_well(["a"])


def test_one_bad_email_never_blocks_its_mailbox(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    bad = box.deliver(mail("bad"))
    box.break_item(bad, "ErrorMimeContentConversionFailed")
    for name in ("a", "b"):
        box.deliver(mail(name))
    run = world.sync(desk)
    assert (run.outcome, run.set_aside) == ("done", 1)
    world.assert_all_is_well(["a", "b"])
    aside = DeadLetter.objects.get()
    assert (aside.stage, aside.reason) == ("fetch", "ErrorMimeContentConversionFailed")
    box.mend_item(bad)
    world.clock.turn(hours=2)
    world.sync(desk)
    world.assert_all_is_well(["a", "b", "bad"])
    aside.refresh_from_db()
    assert aside.settled == "delivered"


def test_a_slice_that_is_over_goes_on_where_it_left(world: World, settings):
    settings.FETCH_COUNT = 2
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    for name in "abcdef":
        box.deliver(mail(name))
    settings.SYNC_SLICE = timedelta(0)
    first = world.sync(desk)
    assert (first.outcome, world.due()) == ("yielded", [desk.pk])
    settings.SYNC_SLICE = timedelta(minutes=2)
    assert world.sync(desk).outcome == "done"
    world.assert_all_is_well("abcdef")


def test_a_worker_that_is_told_to_leave_ends_its_sync_between_two_batches_and_another_goes_on(world: World, settings):
    settings.FETCH_COUNT = 2
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    for name in "abcdef":
        box.deliver(mail(name))
    comments = world.bucket().comments
    first = runner.run(desk.pk, replace(world.around(), is_shutting_down=lambda: len(comments) > 0))
    assert (first.outcome, 0 < first.created < 6, world.due()) == ("yielded", True, [desk.pk])
    assert world.sync(desk).outcome == "done"
    world.assert_all_is_well("abcdef")


def test_a_mailbox_whose_address_was_corrected_is_read_from_its_beginning(world: World):
    desk = world.mailbox("wrong@bank.example")
    world.mailboxes[desk.address].deliver(mail("a"))
    world.sync(desk)
    right = FakeMailbox("right@bank.example")
    world.mailboxes[right.address] = right
    right.create_folder("Only here")
    right.deliver(mail("b"), "Only here")
    right.deliver(mail("c"))
    Mailbox.objects.update(address=right.address)
    assert world.sync(desk).outcome == "done"
    world.assert_all_is_well(["a", "b", "c"])
    wrong = {str(folder_id) for folder_id in world.mailboxes["wrong@bank.example"].folders}
    assert {folder.folder_id for folder in desk.folders.filter(gone=True)} == wrong


def test_a_database_that_came_from_a_backup_bills_nothing_again(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    box.deliver(mail("before"))
    world.sync(desk)
    cursors = {folder.pk: folder.cursor for folder in desk.folders.all()}
    box.deliver(mail("since"))
    world.sync(desk)
    # Yesterday's database: it knows neither the copy nor the entry of what came since.
    LedgerEntry.objects.filter(comment_id=comment_id_of("since")).delete()
    MailboxItem.objects.filter(comment_id=comment_id_of("since")).delete()
    for pk, cursor in cursors.items():
        SyncedFolder.objects.filter(pk=pk).update(cursor=cursor)
    call_command("restored_backup", stdout=StringIO())
    world.sync(desk)
    world.assert_all_is_well(["before", "since"])
    assert len(world.bucket().writes[comment_id_of("since")]) == 1


def test_whichever_folder_tells_of_a_move_first_the_email_stays_known(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    for folder in ("A first", "Z last"):
        box.create_folder(folder)
    early, late = box.deliver(mail("early"), "A first"), box.deliver(mail("late"), "Z last")
    world.sync(desk)
    box.move(early, "Z last")
    box.move(late, "A first")
    world.sync(desk)
    assert (world.folder_of("early"), world.folder_of("late")) == ("Z last", "A first")
    assert sorted(MailboxItem.objects.values_list("folder__name", flat=True)) == ["A first", "Z last"]
    fetched = world.fetched()
    world.sync(desk)
    assert world.fetched() == fetched
    world.assert_all_is_well(["early", "late"])


def test_an_email_that_waits_set_aside_keeps_waiting_when_it_is_moved(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    box.create_folder("A first")
    item = box.deliver(mail("a"))
    box.break_item(item, "ErrorItemCorrupt")
    world.sync(desk)
    moved = box.move(item, "A first")
    world.sync(desk)
    (waiting,) = DeadLetter.objects.filter(settled="")
    assert (waiting.item_id, waiting.folder.name) == (moved, "A first")
    box.mend_item(moved)
    world.clock.turn(hours=5)  # where ids stay, the move was one more try of it
    world.sync(desk)
    assert world.folder_of("a") == "A first"
    assert not DeadLetter.objects.filter(settled="").exists()
    world.assert_all_is_well(["a"])
