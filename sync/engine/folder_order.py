"""The order in which a sync reads the folders of a mailbox. A sync may end long before it has read all of them. Pure.

A sync lasts one time slice. Each folder has one turn in each *round*. The database stores the number of the round and,
for each folder, the last round in which the folder had its turn. The turn of a folder whose mail is wanted lasts until
the folder has no more changes or the slice ends. A *pass* is complete when every folder that can be read was read to its
end since the pass began. Then the mailbox is up to date, and a new pass begins. If one turn is enough for each folder, a
pass lasts one round. Otherwise it lasts several rounds.

At first, a slice reads these folders, in this order:

1. Folders whose mail is not wanted and that had no turn in this round. The turn of such a folder ends when the folder
   was read completely, even if that takes several slices. So its contents are known before the wanted folders are read,
   also on a first sync, and an item in Deleted Items never wins over an item in a wanted folder.
2. Other folders that had no turn in this round: the inbox, then sent mail, then all others by path. New folders, and
   folders that have to be listed again, are included. The folders of number 3 are not included.

When all of these folders have had their turn, the next round begins. The slice uses its remaining time for:

3. Folders that had a turn in this pass and were not read to their end (a large backfill). The folder that waited
   longest comes first. These folders come after the others, so new mail in the inbox does not wait for a backfill. In
   each round that does not begin with the backlog, at least one page of these folders is read. So a backfill always
   ends.
4. The backlog (`sync.engine.backlog`). During a backfill, the backlog comes before the backfill in every second round,
   so that each of the two gets time.
5. The rescan (`sync.engine.rescan`).

After a failure, the next sync begins with the same folder, because most errors are temporary. When three syncs have
failed in a row, and the next sync also fails, with an error that may concern only this folder, the turn of the folder
ends. The following sync continues with the other folders.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from integrations.messages import FolderId, FolderKind
from sync.engine.records import FolderRecord, Round

END_TURN_AFTER = 3
"""When this many syncs of the mailbox have failed in a row, the next failure ends the turn of the failing folder."""
FIRST = {FolderKind.INBOX: 0, FolderKind.SENT: 1}


@dataclass(frozen=True, slots=True)
class FolderOrder:
    """The folders of a mailbox in the order in which a sync reads them."""

    waiting: Sequence[FolderRecord]
    """Folders that had no turn in this round."""
    unfinished: Sequence[FolderRecord]
    """Folders that had a turn in this pass, did not reach their end, and are read when no folder is waiting."""


def order_folders(
    folders: Sequence[FolderRecord], followed: Collection[FolderId], digest: str, now: Round
) -> FolderOrder:
    """Sort the folders of a mailbox into the order in which a sync reads them.

    Args:
        folders: The folders to read.
        followed: Folders whose mail is not wanted.
        digest: The present filter digest. A folder that was listed with another digest counts as never listed.
        now: The round that the mailbox is in.

    Returns:
        The order.
    """
    waiting: list[FolderRecord] = []
    unfinished: list[FolderRecord] = []
    for folder in folders:
        had_turn = folder.turn == now.number
        begun = folder.turn >= (now.number if folder.id in followed else now.pass_began)
        if folder.wanted_digest == digest and begun and not folder.up_to_date:
            unfinished.append(folder)
        elif folder.wanted_digest != digest or not had_turn:
            waiting.append(folder)
    waiting.sort(key=lambda folder: (folder.id not in followed, *_place(folder)))
    unfinished.sort(key=lambda folder: (folder.turn, *_place(folder)))
    return FolderOrder(waiting, unfinished)


def backlog_comes_first(now: Round) -> bool:
    """Return whether the backlog comes before unfinished folders. Each of the two may use up the slice.

    Args:
        now: The round that the mailbox is in.

    Returns:
        True in every second round.
    """
    return now.number % 2 == 0


def ends_turn(now: Round) -> bool:
    """Return whether a failure of this sync ends the turn of a folder, so that the next sync reads other folders first.

    Args:
        now: The round that the mailbox is in, with the number of failed syncs before this one.

    Returns:
        Whether the turn ends.
    """
    return now.failures >= END_TURN_AFTER


def _place(folder: FolderRecord) -> tuple[int, tuple[str, ...]]:
    return FIRST.get(folder.kind, 2), folder.path
