"""Group the changes of a page by folder, because a folder may report items that are in another folder. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from integrations.messages import Change, ChangeKind, FolderId
from sync.engine.records import FolderRecord


def by_folder(
    folder: FolderRecord, folders: Mapping[FolderId, FolderRecord], changes: Iterable[Change]
) -> Sequence[tuple[FolderRecord, Sequence[Change]]]:
    """Group the changes that a folder reported by the folder in which each item is now.

    If an item is in a folder that is not read, it is no longer in the reporting folder, and its change becomes a
    deletion from the reporting folder. If the item is in a folder that appeared after the tree was read, the item is
    not lost, because the new folder is listed later.

    Args:
        folder: The folder that reported the changes.
        folders: The folders that are read, by id.
        changes: The changes.

    Returns:
        Folders with their changes. The reporting folder comes first. Folders without changes are omitted.
    """
    by_id: dict[FolderId, list[Change]] = {folder.id: []}
    for change in changes:
        if change.folder_id == folder.id or change.folder_id in folders:
            by_id.setdefault(change.folder_id, []).append(change)
        else:
            by_id[folder.id].append(Change(ChangeKind.DELETED, folder.id, change.item_id))
    return [
        (folder if location == folder.id else folders[location], located)
        for location, located in by_id.items()
        if located
    ]
