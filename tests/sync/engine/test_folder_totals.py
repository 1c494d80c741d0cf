"""Tests of the comparison of a folder total with the roster: which difference is stored, and when the folder is listed."""

from __future__ import annotations

import pytest

from sync.engine.folder_totals import EVERY, Doubt, FolderTally, Judgement, Read, difference_text, judge, next_tree_read

QUIET = Read(of_listing=False, last=True, quiet=True)
CHANGES = Read(of_listing=False, last=True, quiet=False)
LISTING = Read(of_listing=True, last=False, quiet=False)
LISTED = Read(of_listing=True, last=True, quiet=True)


def test_a_total_with_the_usual_difference_changes_nothing():
    assert judge(FolderTally(5), QUIET, 5) == Judgement(0)
    assert judge(FolderTally(5, usual=2), QUIET, 7) == Judgement(2)


def test_a_difference_is_a_doubt_at_first_and_certain_after_another_read_without_changes():
    first = judge(FolderTally(5), QUIET, 6)
    assert first == Judgement(0, Doubt(6, 1))
    assert judge(FolderTally(5, doubt=first.doubt), QUIET, None) == Judgement(0, Doubt(6, 1), list_again=True)


def test_a_late_report_removes_the_doubt():
    assert judge(FolderTally(6, doubt=Doubt(6, 1)), CHANGES, None) == Judgement(0)


def test_a_page_with_changes_is_not_compared_with_the_total():
    assert judge(FolderTally(6), CHANGES, 5) == Judgement(0)


def test_without_a_total_or_a_count_nothing_is_compared():
    assert judge(FolderTally(5), QUIET, None) == Judgement(0)
    assert judge(FolderTally(None), QUIET, 6) == Judgement(0)
    assert judge(FolderTally(None, usual=3), QUIET, 6) == Judgement(3)


def test_the_doubt_stays_until_the_listing_ends():
    assert judge(FolderTally(3, doubt=Doubt(6, 1)), LISTING, 6) == Judgement(0, Doubt(6, 1))


@pytest.mark.parametrize(
    ("counted", "usual", "expected"),
    [
        (6, 0, 0),  # the listing removed the difference
        (5, 0, 1),  # the listing did not change the difference, so the difference is usual
        (4, 2, 2),  # after the listing, the difference is the usual one again
        (
            3,
            2,
            1,
        ),  # mail was added or removed during the listing: the difference before it counts as usual until the next comparison
    ],
)
def test_a_difference_that_the_listing_did_not_remove_is_usual(counted, usual, expected):
    assert judge(FolderTally(counted, usual, Doubt(6, 1)), LISTED, 6) == Judgement(expected)


def test_a_listing_without_a_doubt_keeps_the_usual_difference():
    assert judge(FolderTally(5, usual=2), LISTED, None) == Judgement(2)


def test_only_an_unusual_difference_is_a_doubt():
    assert judge(FolderTally(5, usual=1), QUIET, 6) == Judgement(1)
    assert judge(FolderTally(5, usual=1), QUIET, 7) == Judgement(1, Doubt(7, 2))


def test_a_usual_difference_that_disappears_is_reset_without_a_listing():
    assert judge(FolderTally(6, usual=1), QUIET, 6) == Judgement(0)


def test_large_trees_are_requested_more_rarely_and_intervals_differ_by_mailbox():
    assert next_tree_read(30, 10) == EVERY
    assert next_tree_read(200, 10) == EVERY
    assert next_tree_read(201, 10) == 2 * EVERY
    assert len({next_tree_read(30, pk) for pk in range(10)}) == 10
    assert min(next_tree_read(0, pk) for pk in range(10)) == EVERY


@pytest.mark.wording
def test_the_text_says_how_many_items_exchange_counts_or_lists_more():
    assert difference_text(0) == ""
    assert difference_text(1) == "Exchange counts 1 item more here than it lists. Listing it again did not change that."
    assert (
        difference_text(-2000)
        == "Exchange lists 2,000 items more here than it counts. Listing it again did not change that."
    )
