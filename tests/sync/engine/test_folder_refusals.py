"""Tests of refused folders: when they are retried, and when the mailbox is at fault instead."""

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


def read_folders(*folders: FolderRecord) -> list[str]:
    return [one.id for one in to_try(folders, "now")]


def test_the_pause_grows_to_a_day_and_stays_there():
    pauses = [next_try(NOW, attempts) - NOW for attempts in range(1, 9)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1], pauses[4]) == (timedelta(minutes=5), timedelta(days=1), timedelta(days=1))
    assert next_try(NOW, 0) - NOW == PAUSES[0]


def test_refused_folders_are_read_only_when_their_retry_is_due():
    assert read_folders(folder("Readable"), folder("Not due", refused=True), folder("Due", refused=True, due=True)) == [
        "Readable",
        "Due",
    ]


def test_a_refused_folder_is_read_at_once_after_a_filter_change():
    assert read_folders(folder("Readable"), folder("Other", refused=True, wanted="before")) == ["Readable", "Other"]


def test_if_all_folders_are_refused_and_no_retry_is_due_the_first_folder_is_read():
    assert read_folders(folder("A", refused=True), folder("B", refused=True)) == ["A"]
    assert read_folders() == []


@pytest.mark.parametrize(
    ("refused", "followed", "at_fault"),
    [
        ("", "", "none"),
        ("A", "", "folders"),
        ("AB", "", "folders"),
        ("ABC", "", "mailbox"),
        ("ABC", "C", "mailbox"),
        ("AB", "C", "folders"),
        ("C", "C", "none"),
        ("ABC", "ABC", "none"),
    ],
)
def test_the_mailbox_is_at_fault_only_if_all_folders_are_refused(refused, followed, at_fault):
    folders = [folder(name) for name in "ABC"]
    if is_of_mailbox(folders, set(refused), set(followed)):
        assert at_fault == "mailbox"
    else:
        assert at_fault == ("folders" if left_out(set(refused), set(followed)) else "none")
