"""Find the stored folders of a mailbox, and decide the filter verdict of each.

The verdicts use the rules of the mailbox, or other rules for a preview.
"""

from __future__ import annotations

from integrations.messages import Folder, FolderId, FolderKind
from mailboxes.models import Mailbox
from mailboxes.rules import FilterVerdict, Rules, folder_verdict
from sync.engine.folder_paths import positions
from sync.models import SyncedFolder


def wanted_folders(mailbox: Mailbox, rules: Rules | None = None) -> list[tuple[SyncedFolder, FilterVerdict]]:
    """Return the stored folders of a mailbox that still exist and hold mail, with their filter verdicts.

    Args:
        mailbox: The mailbox.
        rules: The filter rules to apply; None for the rules of the mailbox.

    Returns:
        Pairs of a folder and its verdict, ordered by path without regard to upper and lower case.
    """
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
        for row in sorted(rows, key=_sort_key)
        if row.holds_mail
    ]


def _sort_key(row: SyncedFolder) -> list[str]:
    """Return a sort key that places a folder before its subfolders."""
    return [name.casefold() for name in row.path]
