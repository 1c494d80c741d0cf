"""Which items the change reports of a folder say are in it, kept with its cursor: see `sync.engine.folder_totals`.

It is written in the transaction that moves the cursor, so a page counts once, however often a worker died over it. The copies
(`sync.store.items`) would not do: they are written before the cursor moves, they lack what could not be fetched, and
where items keep their ids, one that moved is no longer a copy of the folder that it left before that folder reports it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from integrations.messages import Change, ChangeKind, FolderId, ItemId
from sync.models import ReportedItem


def clear(folder_pk: int) -> None:
    """Begin anew, as the folder is listed from its beginning, or is gone for good."""
    ReportedItem.objects.filter(folder_id=folder_pk).delete()


def note(folder_pk: int, folder: FolderId, changes: Sequence[Change]) -> int:
    """Write down what these changes tell of this folder; by how many items it holds more now, or fewer. A change of another
    folder tells that its item is no longer in this one."""
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
    """Whether a change says that its item is in a folder, or is not. A read mark does not: an item that was read and never
    reported before is one that was missed."""
    return change.kind is not ChangeKind.READ


def _is_in(change: Change, folder: FolderId) -> bool:
    return change.folder_id == folder and change.kind is not ChangeKind.DELETED


def _key(item: ItemId) -> int:
    return int.from_bytes(hashlib.blake2b(item.encode(), digest_size=8).digest(), signed=True)
