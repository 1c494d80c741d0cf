"""Moved emails over Graph: the comment has the right `Folder`, dead letters are not forgotten, and each email is paid for once.

The tests run with each way in which Graph may report moves.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from integrations.models import Integration
from mailboxes.models import Mailbox
from operations import failed_email_actions
from simulators.exchange import mail_of
from simulators.graph.removals import Removals
from sync.models import DeadLetter, MailboxItem
from tests.actors import ADMIN
from tests.factories import moved
from tests.faults.midlife import ADDRESSES, BUCKET, Midlife
from tests.mails import comment_id_of, mail

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=list(Removals))
def life(request, db):
    with Midlife().stage() as staged:
        staged.graph.removals = request.param
        there = {"endpoint": staged.graph.url, "authority": staged.graph.authority_url}
        moved(Integration.objects.get(), microsoft_api="graph", **there)
        staged.begin(0)
        staged.sync()
        yield staged


def box(life):
    return life.store[ADDRESSES[0]]


def arrives(life, name, path="Inbox"):
    return box(life).deliver(replace(mail_of(mail(name)), received=life.clock()), path)


def folder_of(life, name):
    return life.reinfer.sources[BUCKET].comments[comment_id_of(name)].properties["string:Folder"]


def assert_paid_once(life, *names):
    source = life.reinfer.sources[BUCKET]
    assert set(source.comments) == {comment_id_of(name) for name in names}
    assert source.ai_units == len(names)
    assert source.text_changes == source.messages_changed == 0


def test_an_email_that_a_rule_moves_before_it_was_ever_listed_arrives(life):
    box(life).move(arrives(life, "a").id, "Inbox/Trades")
    life.sync()
    assert folder_of(life, "a") == "Inbox/Trades"
    assert_paid_once(life, "a")


def test_the_comment_of_a_moved_email_names_the_new_folder(life):
    item = arrives(life, "a")
    life.sync()
    box(life).move(item.id, "Archive")
    life.sync()
    assert folder_of(life, "a") == "Archive"
    assert_paid_once(life, "a")


def test_a_new_email_that_was_moved_away_and_back_arrives(life):
    item = arrives(life, "a")
    box(life).move(box(life).move(item.id, "Archive").id, "Inbox")
    life.sync()
    assert folder_of(life, "a") == "Inbox"
    assert_paid_once(life, "a")


def test_a_dead_letter_whose_email_was_moved_away_and_back_stays_a_dead_letter(life):
    item = arrives(life, "a")
    life.graph.faults.add("corrupt", message_id=item.mail.message_id, operation="mime", code="ErrorItemCorrupt")
    life.sync()
    assert DeadLetter.objects.get().settled == ""
    box(life).move(box(life).move(item.id, "Archive").id, "Inbox")
    life.sync()
    assert DeadLetter.objects.get().settled == ""
    life.graph.faults.clear()
    failed_email_actions.retry_many(ADMIN, DeadLetter.objects.all(), life.clock)
    life.sync()
    assert DeadLetter.objects.get().settled == "delivered"
    assert_paid_once(life, "a")


def test_a_known_email_moved_to_an_unwanted_folder_is_updated_and_a_new_one_is_not_pushed(life):
    known = arrives(life, "known")
    life.sync()
    box(life).move(known.id, "Deleted Items")
    box(life).move(arrives(life, "new").id, "Deleted Items")
    life.sync()
    assert folder_of(life, "known") == "Deleted Items"
    assert_paid_once(life, "known")


def test_the_item_of_a_deleted_email_is_removed_and_its_comment_stays(life):
    item = arrives(life, "a")
    life.sync()
    box(life).delete(item.id, hard=True)
    life.sync()
    assert not MailboxItem.objects.filter(mailbox=Mailbox.objects.get(address=ADDRESSES[0])).exists()
    assert_paid_once(life, "a")


def test_a_move_is_pushed_once_whichever_folders_report_it(life):
    item = arrives(life, "a")
    life.sync()
    before = life.reinfer.requests.count("sync")
    box(life).move(item.id, "Archive")
    life.sync()
    assert life.reinfer.requests.count("sync") == before + 1
    life.sync()
    assert life.reinfer.requests.count("sync") == before + 1
    assert_paid_once(life, "a")
