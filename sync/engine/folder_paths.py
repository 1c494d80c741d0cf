"""Where folders lie: paths and kinds, worked out from parents and names, since no single change of the tree tells them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from integrations.messages import Folder, FolderId, FolderKind

MAX_DEPTH = 300
"""Exchange nests folders to about this depth; a longer chain is a cycle in what we were told."""


@dataclass(frozen=True, slots=True)
class Position:
    """A folder's place in its mailbox: the path from the root, and the kinds met on it, its own included."""

    path: tuple[str, ...]
    kinds: frozenset[FolderKind]


def positions(folders: Iterable[Folder]) -> Mapping[FolderId, Position]:
    """The position of every folder of one mailbox. A parent that is not among them is the mailbox root."""
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
