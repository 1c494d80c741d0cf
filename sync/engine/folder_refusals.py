"""How a sync treats folders that are in the tree of a mailbox and cannot be read. Pure.

A delegate who may read `Inbox/Claims` also sees the parent `Inbox` in the tree, but may have no right to read `Inbox`. So
only the refused folder is at fault, as long as any other folder of the mailbox can be read:

- The folder is marked with the reason, and its turn ends. Its checkpoint stays. All other folders have their turn in
  the same sync.
- The folder is retried after a pause, which grows from five minutes to a day. A successful attempt removes the mark. A
  sync that a user requests tries the folder at once, and so does a sync after a change of the filter digest.
- While the mail of the folder is wanted, pages show the status *Folders left out* instead of *Up to date*. The mailbox
  is not disabled while any of its folders can be read.

A server may also answer "not found" for a folder that an account has no right to read (Microsoft's page on ResponseCode
documents this for ErrorItemNotFound and ErrorFolderNotFound). But the folder may also have been deleted a moment ago, which is
no error. So the first such answer is only recorded. The next sync reads the tree first. If the folder is still in
the tree, and again not found, it is treated as refused, with `FolderNotFound`.

When every folder is refused, the mailbox is at fault and fails like a mailbox that cannot be opened.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from integrations.messages import FolderId
from sync.engine.records import FolderRecord

PAUSES = (timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4), timedelta(days=1))
"""Times from one attempt to the next. The last time repeats."""


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
        The folders. If every folder waits for its retry: only the first folder, because the mailbox may work again.
    """
    due = [folder for folder in folders if not _waits_for_retry(folder, digest)]
    return due or list(folders[:1])


def is_of_mailbox(
    folders: Sequence[FolderRecord], refused: Collection[FolderId], followed: Collection[FolderId]
) -> bool:
    """Return whether the mailbox is at fault, because all of its folders are refused.

    Args:
        folders: The folders of the mailbox.
        refused: Ids of the refused folders.
        followed: Ids of the folders whose mail is not wanted. If no mail is wanted, the mailbox is not at fault.

    Returns:
        Whether the mailbox is at fault.
    """
    ids = {folder.id for folder in folders}
    return ids <= set(refused) and not ids <= set(followed)


def left_out(refused: Collection[FolderId], followed: Collection[FolderId]) -> int:
    """Return how many refused folders hold wanted mail.

    Args:
        refused: Ids of the refused folders.
        followed: Ids of the folders whose mail is not wanted.

    Returns:
        Their number.
    """
    return len(set(refused) - set(followed))


def _waits_for_retry(folder: FolderRecord, digest: str) -> bool:
    return folder.refused and not folder.retry_due and folder.wanted_digest == digest
