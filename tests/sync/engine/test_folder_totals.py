"""When the total of a folder and what its reports add up to differ: what is remembered, and when it is listed again."""

from __future__ import annotations

import pytest

from sync.engine.folder_totals import EVERY, Doubt, FolderTally, Judgement, Read, in_words, judge, next_tree_read

QUIET = Read(of_listing=False, last=True, quiet=True)
CHANGES = Read(of_listing=False, last=True, quiet=False)
LISTING = Read(of_listing=True, last=False, quiet=False)
LISTED = Read(of_listing=True, last=True, quiet=True)


def test_a_total_that_fits_leaves_nothing_to_do():
    assert judge(FolderTally(5), QUIET, 5) == Judgement(0)
    assert judge(FolderTally(5, usual=2), QUIET, 7) == Judgement(2)


def test_a_difference_is_a_doubt_first_and_certain_when_nothing_was_told_since():
    first = judge(FolderTally(5), QUIET, 6)
    assert first == Judgement(0, Doubt(6, 1))
    assert judge(FolderTally(5, doubt=first.doubt), QUIET, None) == Judgement(0, Doubt(6, 1), list_again=True)


def test_a_change_that_is_told_late_takes_the_doubt_away():
    assert judge(FolderTally(6, doubt=Doubt(6, 1)), CHANGES, None) == Judgement(0)


def test_what_is_told_with_a_page_is_never_compared_with_a_total_from_before_it():
    assert judge(FolderTally(6), CHANGES, 5) == Judgement(0)


def test_without_a_total_or_a_count_nothing_is_compared():
    assert judge(FolderTally(5), QUIET, None) == Judgement(0)
    assert judge(FolderTally(None), QUIET, 6) == Judgement(0)
    assert judge(FolderTally(None, usual=3), QUIET, 6) == Judgement(3)


def test_the_doubt_lasts_as_long_as_the_listing_that_it_is_for():
    assert judge(FolderTally(3, doubt=Doubt(6, 1)), LISTING, 6) == Judgement(0, Doubt(6, 1))


@pytest.mark.parametrize(
    ("counted", "usual", "left"),
    [
        (6, 0, 0),  # it was found
        (5, 0, 1),  # it is usual
        (4, 2, 2),  # what was found leaves the difference that is usual here
        (
            3,
            2,
            1,
        ),  # neither: mail came or went meanwhile. What the listing was for counts as usual, until it is compared again
    ],
)
def test_after_the_listing_what_it_did_not_remove_is_usual(counted, usual, left):
    assert judge(FolderTally(counted, usual, Doubt(6, 1)), LISTED, 6) == Judgement(left)


def test_a_listing_for_any_other_reason_leaves_what_is_usual():
    assert judge(FolderTally(5, usual=2), LISTED, None) == Judgement(2)


def test_a_usual_difference_is_not_looked_into_and_another_one_is():
    assert judge(FolderTally(5, usual=1), QUIET, 6) == Judgement(1)
    assert judge(FolderTally(5, usual=1), QUIET, 7) == Judgement(1, Doubt(7, 2))


def test_a_difference_that_is_gone_is_forgotten_without_a_listing():
    assert judge(FolderTally(6, usual=1), QUIET, 6) == Judgement(0)


def test_a_large_tree_is_asked_for_more_rarely_and_mailboxes_do_not_stay_together():
    assert next_tree_read(30, 10) == EVERY
    assert next_tree_read(200, 10) == EVERY
    assert next_tree_read(201, 10) == 2 * EVERY
    assert len({next_tree_read(30, pk) for pk in range(10)}) == 10
    assert min(next_tree_read(0, pk) for pk in range(10)) == EVERY


@pytest.mark.wording
def test_a_difference_is_said_in_words():
    assert in_words(0) == ""
    assert in_words(1) == "Exchange counts 1 item more here than it lists. Listing it again did not change that."
    assert (
        in_words(-2000) == "Exchange lists 2,000 items more here than it counts. Listing it again did not change that."
    )
