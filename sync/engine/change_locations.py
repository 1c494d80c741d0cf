"""In which folder each change of a page is: a folder may tell of an item that it has moved to another one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from integrations.messages import Change, ChangeKind, FolderId
from sync.engine.records import FolderRecord


def by_place(
    folder: FolderRecord, folders: Mapping[FolderId, FolderRecord], changes: Iterable[Change]
) -> Sequence[tuple[FolderRecord, Sequence[Change]]]:
    """The changes that `folder` told, by the folder in which each is, its own first.

    What lies in none of `folders` is gone from here: a folder that is not read, or one that came after the tree was read and
    will be listed whole.
    """
    found: dict[FolderId, list[Change]] = {folder.id: []}
    for change in changes:
        if change.folder_id == folder.id or change.folder_id in folders:
            found.setdefault(change.folder_id, []).append(change)
        else:
            found[folder.id].append(Change(ChangeKind.DELETED, folder.id, change.item_id))
    return [(folder if place == folder.id else folders[place], told) for place, told in found.items() if told]
