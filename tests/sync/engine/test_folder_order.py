"""Tests of the order in which a sync reads the folders of a mailbox."""

from __future__ import annotations

import pytest

from integrations.messages import Cursor, FolderId, FolderKind
from sync.engine.folder_order import FolderOrder, backlog_comes_first, order_folders
from sync.engine.records import FolderRecord, Round

NOW = Round(number=7, pass_began=5)
LONG_AGO, IN_THIS_PASS, IN_THIS_ROUND = 4, 6, 7
FOLLOWED = {FolderId("Deleted Items")}


def folder(
    name: str, turn: int, *, up_to_date: bool = True, wanted: str = "now", kind: FolderKind = FolderKind.ORDINARY
) -> FolderRecord:
    return FolderRecord(
        FolderId(name), (name,), frozenset({kind}), kind, True, Cursor("c"), wanted, up_to_date=up_to_date, turn=turn
    )


def names(of: FolderOrder) -> tuple[list[str], list[str]]:
    return [one.id for one in of.waiting], [one.id for one in of.unfinished]


def sorted_by_turn(*folders: FolderRecord) -> tuple[list[str], list[str]]:
    return names(order_folders(folders, FOLLOWED, "now", NOW))


def test_folders_without_a_turn_in_this_round_wait_and_the_others_do_not():
    had = folder("Had", IN_THIS_ROUND)
    assert sorted_by_turn(
        had, folder("New", 0), folder("Last pass", LONG_AGO), folder("Round before", IN_THIS_PASS)
    ) == (
        ["Last pass", "New", "Round before"],
        [],
    )


def test_folders_that_are_not_wanted_come_first_then_the_inbox_then_sent_mail():
    assert sorted_by_turn(
        folder("Archive", 0),
        folder("Sent", 0, kind=FolderKind.SENT),
        folder("Posteingang", 0, kind=FolderKind.INBOX),
        folder("Deleted Items", 0, kind=FolderKind.DELETED),
    ) == (["Deleted Items", "Posteingang", "Sent", "Archive"], [])


def test_unfinished_folders_are_ordered_by_their_last_turn():
    assert sorted_by_turn(
        folder("A", IN_THIS_ROUND, up_to_date=False),
        folder("B", IN_THIS_PASS, up_to_date=False),
        folder("C", IN_THIS_PASS),
    ) == (["C"], ["B", "A"])


def test_a_folder_that_was_unfinished_in_the_last_pass_waits_for_its_turn_in_this_pass():
    assert sorted_by_turn(folder("A", LONG_AGO, up_to_date=False)) == (["A"], [])


@pytest.mark.parametrize("turn", [0, LONG_AGO, IN_THIS_PASS])
def test_a_folder_that_is_not_wanted_is_read_to_its_end_before_any_other(turn):
    assert sorted_by_turn(folder("Inbox", 0), folder("Deleted Items", turn, up_to_date=False)) == (
        ["Deleted Items", "Inbox"],
        [],
    )


def test_a_folder_that_is_not_wanted_and_had_its_turn_in_this_round_comes_last():
    assert sorted_by_turn(folder("Inbox", 0), folder("Deleted Items", IN_THIS_ROUND, up_to_date=False)) == (
        ["Inbox"],
        ["Deleted Items"],
    )


def test_a_folder_with_another_filter_digest_waits_for_a_turn():
    assert sorted_by_turn(folder("A", IN_THIS_ROUND, wanted="before"), folder("B", IN_THIS_ROUND)) == (["A"], [])


def test_the_backlog_comes_first_in_every_second_round():
    assert [backlog_comes_first(Round(number, 1)) for number in (1, 2, 3, 4)] == [False, True, False, True]
