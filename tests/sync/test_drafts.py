"""Tests of items that Exchange marks as drafts.

Such an item is an email if a mail server has received it, and a draft otherwise. In Drafts and Outbox, such an item is always a
draft.
"""

import pytest

from operations import mailbox_actions
from sync.models import DeadLetter, LedgerEntry, MailboxItem
from tests.actors import ADMIN
from tests.mails import mail, received
from tests.sync.world import World


def nested(depth: int) -> bytes:
    """Return an email in which parts are nested to this depth."""
    parts = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (number, number) for number in range(depth)
    )
    return b"From: ann@north.example\nMessage-ID: <a@north.example>\n" + parts + b"\nText\n"


@pytest.fixture(params=[False, True], ids=["new ids", "stable ids"])
def world(db, request):
    return World(keeps_ids=request.param)


@pytest.mark.parametrize("folder", ["Inbox", "Sent Items", "Imported"])
def test_imported_mail_that_is_still_marked_as_a_draft_arrives_and_is_billed_once(world: World, folder):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    box.create_folder("Imported")
    box.deliver(received(mail("a")), folder, draft=True)
    world.sync(desk)
    mailbox_actions.list_again(ADMIN, desk)
    world.sync(desk)
    world.assert_all_is_well(["a"])
    assert (world.ai_units(), world.fetched()) == (1, 1)


def test_a_draft_outside_drafts_is_fetched_once_counted_and_not_pushed(world: World):
    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(mail("a"), draft=True)
    run = world.sync(desk)
    assert (run.fetched, run.not_wanted, run.created) == (1, 1, 0)
    for _ in range(2):
        mailbox_actions.list_again(ADMIN, desk)
        assert world.sync(desk).fetched == 0
    assert MailboxItem.objects.get().verdict == "never_sent"
    assert not LedgerEntry.objects.exists()


def test_a_draft_that_changes_is_fetched_again_and_arrives_when_it_was_sent(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    box.create_folder("Templates")
    item = box.deliver(mail("a"), "Templates", draft=True)
    world.sync(desk)
    box.edit(item, mail("a", body="More words"))
    assert world.sync(desk).created == 0
    box.folder("Templates").items[item].draft = False
    box.edit(item, mail("a", body="The last words"))
    box.move(item, "Sent Items")
    assert world.sync(desk).created == 1
    assert world.comment("a").message.body.strip() == "The last words"
    world.assert_all_is_well(["a"])


def test_a_marked_draft_in_drafts_is_not_fetched_even_if_the_filter_wants_that_folder(world: World):
    desk = world.mailbox(folder_allow=[["Inbox"], ["Entwürfe"]])
    box = world.mailboxes[desk.address]
    box.rename_folder("Drafts", "Entwürfe")
    box.deliver(received(mail("a")), "Entwürfe", draft=True)
    box.deliver(mail("b"), "Entwürfe")
    assert world.sync(desk).fetched == 1
    world.assert_all_is_well(["b"])


def test_in_folders_below_drafts_the_mime_decides(world: World):
    desk = world.mailbox(folder_allow=[["Drafts", "Imported"]])
    box = world.mailboxes[desk.address]
    box.create_folder("Imported", parent="Drafts")
    box.deliver(received(mail("a")), "Imported", draft=True)
    box.deliver(mail("b"), "Imported", draft=True)
    world.sync(desk)
    world.assert_all_is_well(["a"])


def test_a_draft_that_cannot_be_converted_is_not_wanted_and_no_dead_letter(world: World):
    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(nested(200), draft=True)
    run = world.sync(desk)
    assert (run.not_wanted, run.set_aside) == (1, 0)
    assert MailboxItem.objects.get().verdict == "never_sent"


def test_a_dead_letter_that_is_a_draft_is_not_delivered_by_its_retry(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    item = box.deliver(mail("a"), draft=True)
    box.break_item(item, "ErrorItemCorrupt")
    world.sync(desk)
    box.mend_item(item)
    world.clock.turn(hours=1)
    world.sync(desk)
    assert DeadLetter.objects.get().settled == "unwanted"
    world.assert_all_is_well([])


def test_a_delivered_email_that_is_moved_to_drafts_gets_that_folder(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    box.create_folder("Done")
    item = box.deliver(received(mail("a")), draft=True)
    world.sync(desk)
    box.move(item, "Drafts")
    world.sync(desk)
    assert world.folder_of("a") == "Drafts"
    world.assert_all_is_well(["a"])


def test_emails_that_an_earlier_version_rejected_as_drafts_arrive_after_a_full_resync(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    box.deliver(received(mail("a")), draft=True)
    box.deliver(mail("b"), draft=True)
    world.sync(desk)
    MailboxItem.objects.update(verdict="draft", comment_id="", judged_by="of an earlier version")
    LedgerEntry.objects.all().delete()
    world.bucket().comments.clear()
    mailbox_actions.list_again(ADMIN, desk)
    assert world.sync(desk).created == 1
    assert set(MailboxItem.objects.values_list("verdict", flat=True)) == {"delivered", "never_sent"}
