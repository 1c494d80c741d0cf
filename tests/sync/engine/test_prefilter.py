"""Gate 1: what of a page is worth fetching."""

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
COPY = ItemRecord(ItemId("i1"), "k1", FolderId("inbox"), ID, ID, NOON, 100, DELIVERED, "d1")
ENTRY = LedgerRecord(ID, True, "c", "p", "i", 1, False, True, ItemId("i1"), False)


def sort(change=NEW, folder=FilterVerdict.WANTED, rules=None, known=None):
    return sort_page([change], Prefilter(folder, rules or Rules(), "d1", known or KnownItems()))


def remembering(*copies, entry=ENTRY):
    return KnownItems(
        items={copy.item_id: copy for copy in copies},
        twins={ID: list(copies)},
        entries={ID: entry} if entry else {},
    )


def test_unknown_mail_is_fetched():
    assert sort().fetch == [NEW]


def test_a_known_copy_with_the_same_change_key_is_not_fetched_again():
    page = sort(known=remembering(COPY))
    assert (page.fetch, page.unchanged) == ([], 1)


def test_a_changed_copy_is_fetched():
    changed = replace(NEW, change_key="k2")
    assert sort(changed, known=remembering(COPY)).fetch == [changed]


def test_a_copy_that_the_present_bucket_does_not_hold_is_fetched():
    assert sort(known=remembering(COPY, entry=None)).fetch == [NEW]


def test_a_copy_whose_push_was_never_confirmed_is_fetched():
    assert sort(known=remembering(COPY, entry=replace(ENTRY, confirmed=False))).fetch == [NEW]


def test_a_deletion_only_forgets():
    page = sort(Change(ChangeKind.DELETED, FolderId("inbox"), ItemId("i1")))
    assert (page.forget, page.fetch) == ([ItemId("i1")], [])


def test_reading_a_mail_changes_nothing():
    page = sort(replace(NEW, kind=ChangeKind.READ))
    assert (page.fetch, page.turned_away, page.forget, page.unchanged) == ([], [], [], 0)


def test_unknown_mail_of_an_unwanted_folder_is_turned_away():
    assert sort(folder=FilterVerdict.SKIPPED_FOLDER).turned_away == [(NEW, FilterVerdict.SKIPPED_FOLDER)]


def test_mail_already_synced_is_followed_into_an_unwanted_folder():
    moved = replace(NEW, item_id=ItemId("i2"), folder_id=FolderId("deleted"))
    known = KnownItems(entries={ID: ENTRY})
    assert sort(moved, folder=FilterVerdict.SKIPPED_FOLDER, known=known).fetch == [moved]


def test_a_followed_copy_that_is_known_and_unchanged_is_left_alone():
    away = replace(COPY, verdict=FilterVerdict.SKIPPED_FOLDER, comment_id=None)
    page = sort(folder=FilterVerdict.SKIPPED_FOLDER, known=remembering(away))
    assert (page.fetch, page.unchanged) == ([], 1)


def test_what_was_too_old_is_fetched_when_an_earlier_start_time_is_set():
    old = replace(COPY, verdict=FilterVerdict.TOO_OLD, comment_id=None)
    assert sort(known=remembering(old, entry=None)).fetch == [NEW]


def test_what_participants_turned_away_is_judged_again_only_under_other_rules():
    away = replace(COPY, verdict=FilterVerdict.PARTICIPANT)
    assert sort(known=remembering(away, entry=None)).fetch == []
    under_other_rules = replace(away, judged_by="d0")
    assert sort(known=remembering(under_other_rules, entry=None)).fetch == [NEW]


def test_a_draft_that_was_looked_at_is_not_fetched_again_whatever_the_rules_are_until_it_changes():
    draft = replace(NEW, draft=True)
    looked_at = replace(COPY, verdict=FilterVerdict.NEVER_SENT, judged_by="d0")
    page = sort(draft, known=remembering(looked_at, entry=None))
    assert (page.fetch, page.unchanged) == ([], 1)
    sent = replace(NEW, change_key="k2")
    assert sort(sent, known=remembering(looked_at, entry=None)).fetch == [sent]


def test_what_was_turned_away_by_its_mark_alone_is_fetched_when_it_is_listed_again():
    draft = replace(NEW, draft=True)
    by_its_mark = replace(COPY, verdict=FilterVerdict.DRAFT, comment_id=None)
    assert sort(draft, known=remembering(by_its_mark, entry=None)).fetch == [draft]


def test_a_set_aside_email_has_a_schedule_of_its_own():
    aside = replace(COPY, verdict=SET_ASIDE, comment_id=None)
    assert sort(known=remembering(aside, entry=None)).fetch == []
    edited = replace(NEW, change_key="k2")
    assert sort(edited, known=remembering(aside, entry=None)).fetch == [edited]


def test_a_known_email_under_a_new_item_id_is_adopted_without_fetching():
    migrated = replace(NEW, item_id=ItemId("i2"))
    known = KnownItems(twins={ID: [COPY]}, entries={ID: ENTRY})
    page = sort(migrated, known=known)
    assert (page.adopt, page.fetch) == ([(COPY, migrated)], [])


def test_an_email_that_was_moved_away_and_back_is_fetched_since_its_folder_must_be_told():
    back = replace(NEW, item_id=ItemId("i3"))
    elsewhere = replace(ENTRY, winner_item=ItemId("i2"))
    assert sort(back, known=KnownItems(twins={ID: [COPY]}, entries={ID: elsewhere})).fetch == [back]


def test_another_size_is_another_email():
    other = replace(NEW, item_id=ItemId("i2"), size=101)
    assert sort(other, known=KnownItems(twins={ID: [COPY]}, entries={ID: ENTRY})).fetch == [other]


def test_mail_without_a_message_id_is_never_taken_for_another():
    nameless = replace(NEW, item_id=ItemId("i2"), message_id="")
    assert sort(nameless, known=KnownItems(twins={ID: [COPY]}, entries={ID: ENTRY})).fetch == [nameless]


def test_a_copy_that_kept_its_id_and_key_in_another_folder_was_moved_and_is_fetched():
    moved = replace(NEW, folder_id=FolderId("done"))
    assert sort(moved, known=remembering(COPY)).fetch == [moved]
    assert sort(moved, folder=FilterVerdict.SKIPPED_FOLDER, known=remembering(COPY)).fetch == [moved]


# ---- ids of another source ------------------------------------------------------------------------------------------

FORMER = replace(COPY, item_id=ItemId("former:1:i1"))
TOLD = replace(NEW, item_id=ItemId("new"), change_key="k2", modified=NOON)
UNTIL = NOON + timedelta(hours=1)


def after_a_switch(*changes, copy=FORMER, winner=FORMER.item_id):
    known = KnownItems(twins={ID: [copy]}, entries={ID: replace(ENTRY, winner_item=winner)}, former_until=UNTIL)
    return sort_page(changes, Prefilter(FilterVerdict.WANTED, Rules(), "d1", known))


@pytest.mark.parametrize("winner", [FORMER.item_id, None], ids=["won", "a copy elsewhere won"])
def test_an_email_that_nobody_touched_is_known_again_under_the_id_of_another_source(winner):
    assert after_a_switch(TOLD, winner=winner).adopt == [(FORMER, TOLD)]


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
def test_an_email_that_may_have_been_touched_is_read_once_more(changed):
    change = replace(TOLD, **changed)
    assert after_a_switch(change).fetch == [change]


def test_an_email_of_which_a_later_copy_lies_in_this_mailbox_is_read_once_more():
    assert after_a_switch(TOLD, winner=ItemId("a later copy")).fetch == [TOLD]


def test_what_was_set_aside_under_another_id_stays_set_aside():
    aside = replace(FORMER, verdict=SET_ASIDE, comment_id=None)
    assert after_a_switch(TOLD, copy=aside).adopt == [(aside, TOLD)]


def test_of_two_equal_copies_only_one_takes_the_place_of_the_former():
    page = after_a_switch(TOLD, replace(TOLD, item_id=ItemId("newer")))
    assert (len(page.adopt), len(page.fetch)) == (1, 1)
