"""Tests of what can happen to mail in a mailbox, and of the comments in Re:infer afterwards."""

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


@pytest.fixture(params=[(False, False), (True, False), (True, True)], ids=["new ids", "stable ids", "unreported moves"])
def world(db, request):
    """Three servers: the first gives moved items new ids. On the second and third, moved items keep their ids.

    On the third, the new folder does not report the move. The results must be the same on all three servers.
    """
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


def test_a_moved_email_gets_its_new_folder_without_an_ai_unit(world: World):
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


def test_on_a_first_sync_an_item_in_the_deleted_items_does_not_win_over_one_in_a_wanted_folder(world: World):
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


def test_an_email_that_was_moved_away_and_back_between_two_syncs_follows_the_next_rename(world: World):
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
    """A source whose mailbox is migrated to new ids right after the folder tree was read."""

    def __init__(self, source, box):
        self._source, self._box = source, box

    def __getattr__(self, name):
        return getattr(self._source, name)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._source.close()

    def folders(self, after):
        changes = self._source.folders(after)
        self._box.migrate()
        return changes


def test_a_folder_rename_reaches_re_infer_although_the_mailbox_is_migrated_during_that_sync(world: World):
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


def test_the_same_email_in_two_mailboxes_is_one_comment_with_the_properties_of_the_item_synced_last(world: World):
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


def test_the_comment_of_an_edited_email_keeps_its_first_text(world: World):
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


def test_marking_an_email_as_read_causes_no_fetch(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    item = box.deliver(mail("a"))
    world.sync(desk)
    box.read(item)
    before = world.fetched()
    world.sync(desk)
    assert world.fetched() == before


def test_the_comment_of_a_deleted_email_is_kept(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    item = box.deliver(mail("a"))
    world.sync(desk)
    box.delete(item)
    world.sync(desk)
    world.assert_all_is_well(["a"])
    assert not MailboxItem.objects.exists()


def test_mail_before_the_start_time_is_not_delivered(world: World):
    desk = world.mailbox(start_at=NOON)
    box = world.mailboxes[desk.address]
    box.deliver(mail("old"), received=NOON - timedelta(days=1))
    box.deliver(mail("new"), received=NOON)
    run = world.sync(desk)
    world.assert_all_is_well(["new"])
    assert (run.not_wanted, world.fetched()) == (1, 1)


def test_setting_an_earlier_start_time_delivers_the_older_mail(world: World):
    desk = world.mailbox(start_at=NOON)
    box = world.mailboxes[desk.address]
    box.deliver(mail("old"), received=NOON - timedelta(days=1))
    box.deliver(mail("new"), received=NOON)
    world.sync(desk)
    Mailbox.objects.update(start_at=None)
    run = world.sync(desk)
    world.assert_all_is_well(["old", "new"])
    assert (run.created, run.unchanged, world.fetched()) == (1, 1, 2)


def test_widening_a_filter_delivers_the_mail_that_it_rejected_before(world: World):
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


def test_mail_that_the_participant_filter_rejects_is_not_fetched_twice(world: World):
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


def test_a_mailbox_whose_bucket_was_changed_is_delivered_to_the_new_bucket(world: World):
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


def test_cursors_that_the_server_no_longer_accepts_cause_no_second_fetch(world: World):
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


def test_the_emails_of_a_migrated_mailbox_are_recognised_without_a_fetch(world: World):
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
    # Empty the ledger, as if another installation had filled the bucket.
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


def test_two_different_emails_with_one_message_id_are_one_comment_and_counted_as_a_collision(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    box.deliver(mail("a", subject="One"))
    world.sync(desk)
    box.deliver(mail("a", subject="Another"))
    world.sync(desk)
    world.assert_all_is_well(["a"])
    assert LedgerEntry.objects.filter(collision=True).count() == 1


def test_a_deleted_folder_causes_no_error(world: World):
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
    dead_letter = DeadLetter.objects.get()
    assert (dead_letter.stage, dead_letter.reason) == ("fetch", "ErrorMimeContentConversionFailed")
    box.mend_item(bad)
    world.clock.turn(hours=2)
    world.sync(desk)
    world.assert_all_is_well(["a", "b", "bad"])
    dead_letter.refresh_from_db()
    assert dead_letter.settled == "delivered"


def test_the_next_slice_continues_where_the_last_one_ended(world: World, settings):
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


def test_a_worker_shutdown_ends_a_sync_between_two_batches_and_another_worker_continues(world: World, settings):
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


def test_a_mailbox_with_a_corrected_address_is_listed_from_its_beginning(world: World):
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


def test_after_a_restored_backup_nothing_is_billed_again(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    box.deliver(mail("before"))
    world.sync(desk)
    cursors = {folder.pk: folder.cursor for folder in desk.folders.all()}
    box.deliver(mail("since"))
    world.sync(desk)
    # The restored database has neither the mailbox item nor the ledger entry of the newer email.
    LedgerEntry.objects.filter(comment_id=comment_id_of("since")).delete()
    MailboxItem.objects.filter(comment_id=comment_id_of("since")).delete()
    for pk, cursor in cursors.items():
        SyncedFolder.objects.filter(pk=pk).update(cursor=cursor)
    call_command("restored_backup", stdout=StringIO())
    world.sync(desk)
    world.assert_all_is_well(["before", "since"])
    assert len(world.bucket().writes[comment_id_of("since")]) == 1


def test_a_moved_email_stays_stored_in_whatever_order_the_folders_report_the_move(world: World):
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


def test_a_dead_letter_that_is_moved_stays_a_dead_letter_until_its_retry(world: World):
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
    world.clock.turn(hours=5)  # if the item keeps its id, the move caused one more attempt
    world.sync(desk)
    assert world.folder_of("a") == "A first"
    assert not DeadLetter.objects.filter(settled="").exists()
    world.assert_all_is_well(["a"])
