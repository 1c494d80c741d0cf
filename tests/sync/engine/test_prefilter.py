"""Tests of the prefilter: which changes of a page are fetched."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from conversion.identity import listed_comment_id
from integrations.messages import Change, ChangeKind, CommentId, FolderId, ItemId
from mailboxes.rules import FilterVerdict, Rules
from sync.engine.prefilter import KnownItems, Prefilter, sort_page
from sync.engine.records import DELIVERED, SET_ASIDE, ItemRecord, LedgerRecord

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NEW = Change(ChangeKind.CREATED, FolderId("inbox"), ItemId("i1"), "k1", "IPM.Note", "<a@b>", NOON, 100)
ID = CommentId(listed_comment_id("<a@b>"))
ITEM = ItemRecord(ItemId("i1"), "k1", FolderId("inbox"), ID, ID, NOON, 100, DELIVERED, "d1")
ENTRY = LedgerRecord(ID, True, "c", "p", "i", 1, False, True, ItemId("i1"), False)


def sort(change=NEW, folder=FilterVerdict.WANTED, rules=None, known=None):
    return sort_page([change], Prefilter(folder, rules or Rules(), "d1", known or KnownItems()))


def known_items(*items, entry=ENTRY):
    return KnownItems(
        items={item.item_id: item for item in items},
        twins={ID: list(items)},
        entries={ID: entry} if entry else {},
    )


def test_unknown_mail_is_fetched():
    assert sort().fetch == [NEW]


def test_a_stored_item_with_the_same_change_key_is_not_fetched_again():
    page = sort(known=known_items(ITEM))
    assert (page.fetch, page.unchanged) == ([], 1)


def test_a_changed_item_is_fetched():
    changed = replace(NEW, change_key="k2")
    assert sort(changed, known=known_items(ITEM)).fetch == [changed]


def test_an_item_without_a_comment_in_the_present_bucket_is_fetched():
    assert sort(known=known_items(ITEM, entry=None)).fetch == [NEW]


def test_an_item_with_an_unconfirmed_push_is_fetched():
    assert sort(known=known_items(ITEM, entry=replace(ENTRY, confirmed=False))).fetch == [NEW]


def test_a_deletion_only_deletes_the_item():
    page = sort(Change(ChangeKind.DELETED, FolderId("inbox"), ItemId("i1")))
    assert (page.forget, page.fetch) == ([ItemId("i1")], [])


def test_a_change_of_the_read_state_changes_nothing():
    page = sort(replace(NEW, kind=ChangeKind.READ))
    assert (page.fetch, page.turned_away, page.forget, page.unchanged) == ([], [], [], 0)


def test_unknown_mail_of_an_unwanted_folder_is_rejected():
    assert sort(folder=FilterVerdict.SKIPPED_FOLDER).turned_away == [(NEW, FilterVerdict.SKIPPED_FOLDER)]


def test_delivered_mail_that_moves_to_an_unwanted_folder_is_fetched():
    moved = replace(NEW, item_id=ItemId("i2"), folder_id=FolderId("deleted"))
    known = KnownItems(entries={ID: ENTRY})
    assert sort(moved, folder=FilterVerdict.SKIPPED_FOLDER, known=known).fetch == [moved]


def test_an_unchanged_item_of_an_unwanted_folder_is_not_fetched():
    away = replace(ITEM, verdict=FilterVerdict.SKIPPED_FOLDER, comment_id=None)
    page = sort(folder=FilterVerdict.SKIPPED_FOLDER, known=known_items(away))
    assert (page.fetch, page.unchanged) == ([], 1)


def test_an_item_that_was_too_old_is_fetched_after_an_earlier_start_time_is_set():
    old = replace(ITEM, verdict=FilterVerdict.TOO_OLD, comment_id=None)
    assert sort(known=known_items(old, entry=None)).fetch == [NEW]


def test_an_item_that_the_participant_filter_rejected_is_fetched_again_only_with_other_rules():
    away = replace(ITEM, verdict=FilterVerdict.PARTICIPANT)
    assert sort(known=known_items(away, entry=None)).fetch == []
    under_other_rules = replace(away, judged_by="d0")
    assert sort(known=known_items(under_other_rules, entry=None)).fetch == [NEW]


def test_a_draft_that_was_fetched_is_not_fetched_again_until_it_changes():
    draft = replace(NEW, draft=True)
    fetched = replace(ITEM, verdict=FilterVerdict.NEVER_SENT, judged_by="d0")
    page = sort(draft, known=known_items(fetched, entry=None))
    assert (page.fetch, page.unchanged) == ([], 1)
    sent = replace(NEW, change_key="k2")
    assert sort(sent, known=known_items(fetched, entry=None)).fetch == [sent]


def test_an_item_that_was_rejected_only_by_its_draft_mark_is_fetched_when_listed_again():
    draft = replace(NEW, draft=True)
    rejected = replace(ITEM, verdict=FilterVerdict.DRAFT, comment_id=None)
    assert sort(draft, known=known_items(rejected, entry=None)).fetch == [draft]


def test_an_unchanged_dead_letter_is_not_fetched():
    dead_letter = replace(ITEM, verdict=SET_ASIDE, comment_id=None)
    assert sort(known=known_items(dead_letter, entry=None)).fetch == []
    edited = replace(NEW, change_key="k2")
    assert sort(edited, known=known_items(dead_letter, entry=None)).fetch == [edited]


def test_a_known_email_under_a_new_item_id_is_adopted_without_fetching():
    migrated = replace(NEW, item_id=ItemId("i2"))
    known = KnownItems(twins={ID: [ITEM]}, entries={ID: ENTRY})
    page = sort(migrated, known=known)
    assert (page.adopt, page.fetch) == ([(ITEM, migrated)], [])


def test_an_email_that_was_moved_away_and_back_is_fetched_to_push_its_folder():
    back = replace(NEW, item_id=ItemId("i3"))
    elsewhere = replace(ENTRY, winner_item=ItemId("i2"))
    assert sort(back, known=KnownItems(twins={ID: [ITEM]}, entries={ID: elsewhere})).fetch == [back]


def test_an_email_with_another_size_is_another_email():
    other = replace(NEW, item_id=ItemId("i2"), size=101)
    assert sort(other, known=KnownItems(twins={ID: [ITEM]}, entries={ID: ENTRY})).fetch == [other]


def test_mail_without_a_message_id_is_never_adopted():
    nameless = replace(NEW, item_id=ItemId("i2"), message_id="")
    assert sort(nameless, known=KnownItems(twins={ID: [ITEM]}, entries={ID: ENTRY})).fetch == [nameless]


def test_a_moved_item_with_the_same_id_and_change_key_is_fetched():
    moved = replace(NEW, folder_id=FolderId("done"))
    assert sort(moved, known=known_items(ITEM)).fetch == [moved]
    assert sort(moved, folder=FilterVerdict.SKIPPED_FOLDER, known=known_items(ITEM)).fetch == [moved]


# ---- ids of another source ------------------------------------------------------------------------------------------

FOREIGN = replace(ITEM, item_id=ItemId("former:1:i1"))
LISTED = replace(NEW, item_id=ItemId("new"), change_key="k2", modified=NOON)
UNTIL = NOON + timedelta(hours=1)


def after_a_switch(*changes, item=FOREIGN, winner=FOREIGN.item_id):
    known = KnownItems(twins={ID: [item]}, entries={ID: replace(ENTRY, winner_item=winner)}, former_until=UNTIL)
    return sort_page(changes, Prefilter(FilterVerdict.WANTED, Rules(), "d1", known))


@pytest.mark.parametrize("winner", [FOREIGN.item_id, None], ids=["is the winner", "the winner is in another mailbox"])
def test_an_unchanged_email_with_a_foreign_id_is_adopted(winner):
    assert after_a_switch(LISTED, winner=winner).adopt == [(FOREIGN, LISTED)]


@pytest.mark.parametrize(
    "changed",
    [
        {"modified": UNTIL + timedelta(seconds=1)},
        {"modified": None},
        {"size": 101},
        {"received": NOON + timedelta(seconds=1)},
        {"message_id": "<another@b>"},
    ],
)
def test_an_email_with_a_foreign_id_that_may_have_changed_is_fetched(changed):
    change = replace(LISTED, **changed)
    assert after_a_switch(change).fetch == [change]


def test_an_email_with_a_newer_item_in_this_mailbox_is_fetched():
    assert after_a_switch(LISTED, winner=ItemId("newer item")).fetch == [LISTED]


def test_a_dead_letter_with_a_foreign_id_is_adopted():
    dead_letter = replace(FOREIGN, verdict=SET_ASIDE, comment_id=None)
    assert after_a_switch(LISTED, item=dead_letter).adopt == [(dead_letter, LISTED)]


def test_of_two_equal_items_only_one_adopts_the_foreign_item():
    page = after_a_switch(LISTED, replace(LISTED, item_id=ItemId("newer")))
    assert (len(page.adopt), len(page.fetch)) == (1, 1)
