"""The roster of a folder: the items that are in it according to change reports, stored with its cursor.

See `sync.engine.folder_totals`.

The roster is written in the transaction that moves the cursor, so a page is counted once, even if workers crash while
they process it. The mailbox items (`sync.store.items`) cannot replace the roster. They are written before the cursor
moves, and they do not include emails that were not found. And if a moved item keeps its id, its mailbox item belongs to
the new folder before the old folder reports the move.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from integrations.messages import Change, ChangeKind, FolderId, ItemId
from sync.models import ReportedItem


def clear(folder_pk: int) -> None:
    """Delete the roster of a folder that is listed from its beginning or that is gone.

    Args:
        folder_pk: The key of the folder.
    """
    ReportedItem.objects.filter(folder_id=folder_pk).delete()


def record_changes(folder_pk: int, folder: FolderId, changes: Sequence[Change]) -> int:
    """Update the roster of a folder from reported changes. An item that is reported in another folder is removed.

    Args:
        folder_pk: The key of the folder.
        folder: The id of the folder.
        changes: The changes.

    Returns:
        By how many items the roster grew; negative if it shrank.
    """
    present = {_key(change.item_id): _is_in(change, folder) for change in changes if reports_location(change)}
    roster = ReportedItem.objects.filter(folder_id=folder_pk)
    known = set(roster.filter(key__in=present).values_list("key", flat=True))
    added = [key for key, is_here in present.items() if is_here and key not in known]
    removed = [key for key, is_here in present.items() if not is_here and key in known]
    ReportedItem.objects.bulk_create([ReportedItem(folder_id=folder_pk, key=key) for key in added])
    if removed:
        roster.filter(key__in=removed).delete()
    return len(added) - len(removed)


def reports_location(change: Change) -> bool:
    """Return whether a change shows that its item is, or is not, in a folder.

    A change of the read state does not show where its item is. If the item is not in the roster, an earlier report was
    missed. Such an item must not be added, so that the total differs from the roster and the folder is listed again.

    Args:
        change: The change.

    Returns:
        Whether the change shows the location of its item.
    """
    return change.kind is not ChangeKind.READ


def _is_in(change: Change, folder: FolderId) -> bool:
    return change.folder_id == folder and change.kind is not ChangeKind.DELETED


def _key(item: ItemId) -> int:
    return int.from_bytes(hashlib.blake2b(item.encode(), digest_size=8).digest(), signed=True)
