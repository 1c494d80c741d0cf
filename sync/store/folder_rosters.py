"""The roster of a folder: the items in it by its change reports, stored with its cursor.

See `sync.engine.folder_totals`.

The roster is written in the transaction that moves the cursor, so a page counts once, even if workers die while they
process it. The stored items (`sync.store.items`) cannot replace it: they are written before the cursor moves, and they
lack what could not be fetched. And where items keep their ids, a moved item belongs to its new folder before the old
folder reports it.
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


def note(folder_pk: int, folder: FolderId, changes: Sequence[Change]) -> int:
    """Record what changes report about a folder. A change of another folder means that its item is not in this one.

    Args:
        folder_pk: The key of the folder.
        folder: The id of the folder.
        changes: The changes.

    Returns:
        By how many items the roster grew; negative if it shrank.
    """
    present = {_key(change.item_id): _is_in(change, folder) for change in changes if says_where(change)}
    kept = ReportedItem.objects.filter(folder_id=folder_pk)
    known = set(kept.filter(key__in=present).values_list("key", flat=True))
    came = [key for key, is_here in present.items() if is_here and key not in known]
    left = [key for key, is_here in present.items() if not is_here and key in known]
    ReportedItem.objects.bulk_create([ReportedItem(folder_id=folder_pk, key=key) for key in came])
    if left:
        kept.filter(key__in=left).delete()
    return len(came) - len(left)


def says_where(change: Change) -> bool:
    """Return whether a change reports that its item is in a folder or not.

    A read mark does not: an item that was read and never reported before is a missed one.

    Args:
        change: The change.

    Returns:
        Whether it reports the place of its item.
    """
    return change.kind is not ChangeKind.READ


def _is_in(change: Change, folder: FolderId) -> bool:
    return change.folder_id == folder and change.kind is not ChangeKind.DELETED


def _key(item: ItemId) -> int:
    return int.from_bytes(hashlib.blake2b(item.encode(), digest_size=8).digest(), signed=True)
