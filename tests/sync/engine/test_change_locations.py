"""Tests of grouping the changes of a page by folder."""

from __future__ import annotations

from integrations.messages import Change, ChangeKind, FolderId, FolderKind, ItemId
from sync.engine.change_locations import by_folder
from sync.engine.records import FolderRecord


def folder(name: str) -> FolderRecord:
    return FolderRecord(FolderId(name), (name,), frozenset(), FolderKind.ORDINARY, True, None, "")


def change(name: str, there: str, kind: ChangeKind = ChangeKind.UPDATED) -> Change:
    return Change(kind, FolderId(there), ItemId(name))


HERE, OTHER = folder("here"), folder("other")
FOLDERS = {one.id: one for one in (HERE, OTHER)}


def test_the_reporting_folder_comes_first_and_the_order_within_a_folder_stays() -> None:
    page = [change("a", "other"), change("b", "here"), change("c", "other"), change("d", "here")]
    (first, here), (second, there) = by_folder(HERE, FOLDERS, page)
    assert (first, second) == (HERE, OTHER)
    assert [[change.item_id for change in changes] for changes in (here, there)] == [["b", "d"], ["a", "c"]]


def test_a_folder_without_changes_is_omitted() -> None:
    assert by_folder(HERE, FOLDERS, [change("a", "other")]) == [(OTHER, [change("a", "other")])]
    assert by_folder(HERE, FOLDERS, []) == []


def test_an_item_in_an_unknown_folder_is_deleted_from_the_reporting_folder() -> None:
    assert by_folder(HERE, FOLDERS, [change("a", "Recoverable Items")]) == [
        (HERE, [change("a", "here", ChangeKind.DELETED)])
    ]
