"""When a folder that was refused is tried again, and when it is the mailbox that is at fault."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from integrations.messages import Cursor, FolderId, FolderKind
from sync.engine.folder_refusals import PAUSES, is_of_mailbox, left_out, next_try, to_try
from sync.engine.records import FolderRecord

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


def folder(name: str, *, refused: bool = False, due: bool = False, wanted: str = "now") -> FolderRecord:
    kind = FolderKind.ORDINARY
    return FolderRecord(
        FolderId(name), (name,), frozenset({kind}), kind, True, Cursor("c"), wanted, refused=refused, retry_due=due
    )


def asked(*folders: FolderRecord) -> list[str]:
    return [one.id for one in to_try(folders, "now")]


def test_the_pause_grows_to_a_day_and_stays_there():
    pauses = [next_try(NOW, attempts) - NOW for attempts in range(1, 9)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1], pauses[4]) == (timedelta(minutes=5), timedelta(days=1), timedelta(days=1))
    assert next_try(NOW, 0) - NOW == PAUSES[0]


def test_only_what_was_refused_and_is_not_due_is_not_asked_for():
    assert asked(folder("Well"), folder("Rests", refused=True), folder("Due", refused=True, due=True)) == [
        "Well",
        "Due",
    ]


def test_what_is_wanted_for_something_else_now_is_asked_for_at_once():
    assert asked(folder("Well"), folder("Other", refused=True, wanted="before")) == ["Well", "Other"]


def test_where_all_wait_for_their_next_try_one_is_asked_for_all_the_same():
    assert asked(folder("A", refused=True), folder("B", refused=True)) == ["A"]
    assert asked() == []


@pytest.mark.parametrize(
    ("refused", "followed", "whose"),
    [
        ("", "", "nobody's"),
        ("A", "", "the folder's"),
        ("AB", "", "the folder's"),
        ("ABC", "", "the mailbox's"),
        ("ABC", "C", "the mailbox's"),
        ("AB", "C", "the folder's"),
        ("C", "C", "nobody's"),
        ("ABC", "ABC", "nobody's"),
    ],
)
def test_it_is_the_fault_of_the_folders_as_long_as_any_other_can_be_read(refused, followed, whose):
    folders = [folder(name) for name in "ABC"]
    if is_of_mailbox(folders, set(refused), set(followed)):
        assert whose == "the mailbox's"
    else:
        assert whose == ("the folder's" if left_out(set(refused), set(followed)) else "nobody's")
