"""Compute paths and kinds of folders from parents and names, because a change of the tree contains only one folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from integrations.messages import Folder, FolderId, FolderKind

MAX_DEPTH = 300
"""Maximum number of names in a path. Exchange allows about this depth, so a longer chain of parents is a cycle."""


@dataclass(frozen=True, slots=True)
class Position:
    """The place of a folder in its mailbox.

    Attributes:
        path: The names from the mailbox root to the folder.
        kinds: The kinds of the folder and of its ancestors.
    """

    path: tuple[str, ...]
    kinds: frozenset[FolderKind]


def positions(folders: Iterable[Folder]) -> Mapping[FolderId, Position]:
    """Return the position of every folder of one mailbox.

    Args:
        folders: All folders. A parent that is not among them is the mailbox root.

    Returns:
        Positions by folder id.
    """
    by_id = {folder.id: folder for folder in folders}
    return {folder.id: _position(folder, by_id) for folder in by_id.values()}


def _position(folder: Folder, by_id: Mapping[FolderId, Folder]) -> Position:
    names = [folder.name]
    kinds = {folder.kind}
    parent = by_id.get(folder.parent_id) if folder.parent_id else None
    while parent is not None and len(names) < MAX_DEPTH:
        names.append(parent.name)
        kinds.add(parent.kind)
        parent = by_id.get(parent.parent_id) if parent.parent_id else None
    return Position(tuple(reversed(names)), frozenset(kinds))
