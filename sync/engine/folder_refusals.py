"""Folders that are in the tree of a mailbox and cannot be read: what is done about them. Pure.

A delegate who may read `Inbox/Claims` sees `Inbox` above it and may not read that folder. So a refusal for one folder
is the fault of this folder only, as long as any other folder of the mailbox can be read:

- The folder is marked with the reason, and its turn ends. Its checkpoint stays. All other folders have their turn in
  the same sync.
- It is retried after a pause that grows with every attempt. A successful attempt removes the mark. A user who requests
  a sync ends the pause. After a change of the filter digest it is tried at once, too.
- While its mail is wanted, the mailbox is not up to date. The mailbox is never disabled for that.

A server may also answer "not found" for what an account has no right to read (Microsoft's page on ResponseCode says so
of ErrorItemNotFound and ErrorFolderNotFound). After one such answer, the folder may have been deleted a moment ago,
which is no problem. So the folder is only noted, and the next sync reads the tree first: a folder that is still in the
tree, and still not found, is refused as above, with `FolderNotFound`.

When every folder is refused, the mailbox is at fault and fails like a mailbox that cannot be opened.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from integrations.messages import FolderId
from sync.engine.records import FolderRecord

PAUSES = (timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4), timedelta(days=1))
"""From one attempt to the next; the last pause repeats."""


def next_try(now: datetime, attempts: int) -> datetime:
    """Return when a folder that was just refused is retried.

    Args:
        now: The present time.
        attempts: Refused attempts in a row, this one included.

    Returns:
        The time of the next attempt.
    """
    return now + PAUSES[min(max(attempts, 1), len(PAUSES)) - 1]


def to_try(folders: Sequence[FolderRecord], digest: str) -> list[FolderRecord]:
    """Return the folders that a sync reads: all but refused folders whose retry is not due.

    Args:
        folders: The folders of the mailbox.
        digest: The present filter digest.

    Returns:
        The folders; at least the first one, since the mailbox may work again.
    """
    left = [folder for folder in folders if not _rests(folder, digest)]
    return left or list(folders[:1])


def is_of_mailbox(
    folders: Sequence[FolderRecord], refused: Collection[FolderId], followed: Collection[FolderId]
) -> bool:
    """Return whether the mailbox is at fault, because all of its folders are refused.

    Args:
        folders: The folders of the mailbox.
        refused: Those that are refused.
        followed: Those whose mail is not wanted. A mailbox without wanted mail lacks nothing.

    Returns:
        Whether the mailbox is at fault.
    """
    every = {folder.id for folder in folders}
    return every <= set(refused) and not every <= set(followed)


def left_out(refused: Collection[FolderId], followed: Collection[FolderId]) -> int:
    """Return how many refused folders hold wanted mail.

    Args:
        refused: Folders that are refused.
        followed: Folders whose mail is not wanted.

    Returns:
        Their number.
    """
    return len(set(refused) - set(followed))


def _rests(folder: FolderRecord, digest: str) -> bool:
    return folder.refused and not folder.retry_due and folder.wanted_digest == digest
