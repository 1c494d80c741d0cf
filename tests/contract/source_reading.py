"""Helpers of the contract suite that read a source: folder trees, listings, and the items that follow from changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TypeVar

from integrations.messages import Change, ChangeKind, ChangePage, Cursor, Folder, FolderId, ItemId
from integrations.ports import Source
from sync.engine.folder_paths import positions
from tests.contract.source_rigs import Rig
from tests.mails import NOON, mail

T = TypeVar("T")

CREATED, UPDATED, DELETED, READ = ChangeKind.CREATED, ChangeKind.UPDATED, ChangeKind.DELETED, ChangeKind.READ


def tree(source: Source) -> Mapping[str, Folder]:
    """Return all folders by their paths."""
    folders = {folder.id: folder for folder in source.folders(None).changed}
    return {"/".join(place.path): folders[folder_id] for folder_id, place in positions(folders.values()).items()}


def inbox(source: Source) -> FolderId:
    return tree(source)["Inbox"].id


def pages(source: Source, folder: FolderId, after: Cursor | None = None) -> list[ChangePage]:
    return list(source.changes(folder, after))


def lines(source: Source, folder: FolderId, after: Cursor | None = None) -> list[Change]:
    return [change for page in source.changes(folder, after) for change in page.changes]


def start_of(source: Source, folder: FolderId) -> Cursor:
    """Return a cursor after which only later changes of the folder are listed."""
    return pages(source, folder)[-1].cursor


def known_after(folder: FolderId, known: set[ItemId], changes: list[Change]) -> set[ItemId]:
    """Apply changes to the known items of a folder, in order, and return the result."""
    known = set(known)
    for change in changes:
        is_here = change.kind is not DELETED and change.folder_id == folder
        (known.add if is_here else known.discard)(change.item_id)
    return known


def fill(rig: Rig, count: int, path: str = "Inbox") -> list[ItemId]:
    """Deliver emails whose times of receipt are one minute apart, oldest first."""
    return [rig.deliver(mail(str(number)), path, received=NOON + timedelta(minutes=number)) for number in range(count)]


def only(items: list[T]) -> T:
    (item,) = items
    return item
