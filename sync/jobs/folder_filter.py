"""The folders of a mailbox, each with whether its mail is wanted: by its own rules, or by others that somebody tries out."""

from __future__ import annotations

from integrations.messages import Folder, FolderId, FolderKind
from mailboxes.models import Mailbox
from mailboxes.rules import FilterVerdict, Rules, folder_verdict
from sync.engine.folder_paths import positions
from sync.models import SyncedFolder


def wanted_folders(mailbox: Mailbox, rules: Rules | None = None) -> list[tuple[SyncedFolder, FilterVerdict]]:
    """The folders of a mailbox that hold mail and are still there, by path; each with whether its mail is wanted, by its
    own rules or by others."""
    rows = list(mailbox.folders.filter(gone=False))
    places = positions(
        Folder(
            FolderId(row.folder_id), FolderId(row.parent_id) if row.parent_id else None, row.name, FolderKind(row.kind)
        )
        for row in rows
    )
    rules = rules or mailbox.rules()
    return [
        (row, folder_verdict(rules, tuple(row.path), places[FolderId(row.folder_id)].kinds))
        for row in sorted(rows, key=_place_in_tree)
        if row.holds_mail
    ]


def _place_in_tree(row: SyncedFolder) -> list[str]:
    """A folder stands above those in it, wherever the letters of its path would put it."""
    return [name.casefold() for name in row.path]
