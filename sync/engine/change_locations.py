"""The folder of each change of a page: a folder may report that an item moved to another folder. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from integrations.messages import Change, ChangeKind, FolderId
from sync.engine.records import FolderRecord


def by_folder(
    folder: FolderRecord, folders: Mapping[FolderId, FolderRecord], changes: Iterable[Change]
) -> Sequence[tuple[FolderRecord, Sequence[Change]]]:
    """Group the changes that a folder reported by the folder in which each item is.

    An item that is in none of the known folders is gone from this one, and becomes a deletion. Its folder is either not
    read, or it appeared after the tree was read and will be listed whole.

    Args:
        folder: The folder that reported the changes.
        folders: The folders that are read, by id.
        changes: The changes.

    Returns:
        Folders with their changes; the reporting folder comes first. Folders without changes are missing.
    """
    found: dict[FolderId, list[Change]] = {folder.id: []}
    for change in changes:
        if change.folder_id == folder.id or change.folder_id in folders:
            found.setdefault(change.folder_id, []).append(change)
        else:
            found[folder.id].append(Change(ChangeKind.DELETED, folder.id, change.item_id))
    return [
        (folder if location == folder.id else folders[location], located)
        for location, located in found.items()
        if located
    ]
