"""Folders that are seen in the tree of a mailbox and cannot be read: what is done about them. Pure.

A delegate who may read `Inbox/Claims` sees `Inbox` above it and may not read that. So what is refused for one folder is the
fault of this folder, and of nothing else, as long as any other folder of the mailbox can be read:

- The folder is marked with the reason, and its turn is over. Its checkpoint stays where it is. All other folders have their
  turn in the same sync.
- It is tried again after a pause that grows with every try. A try that works takes the mark away. So does a person who asks for
  a sync, as far as the pause is concerned; a folder that is wanted for something else now is tried at once, too.
- While its mail is wanted, the mailbox is not up to date. It is never disabled for that.

A server may also say "not found" of what an account has no right to read (Microsoft's page on ResponseCode says so of
ErrorItemNotFound and ErrorFolderNotFound). When it says so once, the folder may have been deleted a moment ago, which is no
problem. So the folder is only noted, and the next sync looks at the tree first: a folder that is still in it, and still not
found, is refused as above, with `FolderNotFound`.

When every folder is refused, it is the fault of the mailbox, which fails as it does when it cannot be opened.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from integrations.messages import FolderId
from sync.engine.records import FolderRecord

PAUSES = (timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4), timedelta(days=1))
"""From one try to the next; the last one for ever after."""


def next_try(now: datetime, attempts: int) -> datetime:
    """When a folder is tried again that was just refused for the `attempts`-th time in a row."""
    return now + PAUSES[min(max(attempts, 1), len(PAUSES)) - 1]


def to_try(folders: Sequence[FolderRecord], digest: str) -> list[FolderRecord]:
    """The folders that a sync asks for: without those that were refused and whose next try is not due.

    `digest`: of what is wanted now. Where none were left, one is asked for all the same: the mailbox may work again.
    """
    left = [folder for folder in folders if not _rests(folder, digest)]
    return left or list(folders[:1])


def is_of_mailbox(
    folders: Sequence[FolderRecord], refused: Collection[FolderId], followed: Collection[FolderId]
) -> bool:
    """Whether it is the fault of the mailbox that these folders of it are refused.

    `followed`: those whose mail is not wanted. A mailbox of which no mail is wanted lacks nothing.
    """
    every = {folder.id for folder in folders}
    return every <= set(refused) and not every <= set(followed)


def left_out(refused: Collection[FolderId], followed: Collection[FolderId]) -> int:
    """How many folders are refused whose mail is wanted."""
    return len(set(refused) - set(followed))


def _rests(folder: FolderRecord, digest: str) -> bool:
    return folder.refused and not folder.retry_due and folder.wanted_digest == digest
