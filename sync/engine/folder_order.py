"""The order in which a sync reads the folders of a mailbox. A sync may end long before it has read all of them. Pure.

A sync lasts one time slice. Each folder has one turn in each *round*. Between two slices, the number of the round is
stored and, for each folder, the last round in which it had its turn. A turn lasts until the folder has no more changes
or the slice ends. A *pass* is complete when every folder that can be read was read to its end since the pass began. Then
the mailbox is up to date, and a new pass begins. A pass lasts one round when no folder needs more than its turn, and
otherwise several.

At first, a slice reads these folders, in this order:

1. Folders whose mail is not wanted and that had no turn in this round. Their turn ends when they were read
   completely, even if that takes several slices: on a first sync their contents are unknown until then. So an item in
   Deleted Items never wins over an item in a wanted folder.
2. Other folders that had no turn in this round: the inbox, then sent mail, then all others by path. New folders, and
   folders that have to be listed again, are among them. The folders of number 3 are not.

When all of these had their turn, the next round begins. The slice uses its remaining time for:

3. Folders that had a turn in this pass and were not read to their end (a large backfill). The folder that waited
   longest comes first. These folders come after the others, so new mail in the inbox does not wait for a backfill. Each
   round has time for one of these folders, unless it begins with the backlog. So a backfill always ends.
4. The backlog (`sync.engine.backlog`). While a backfill goes on, the backlog comes before the backfill in every second
   round, so that neither takes all the time.
5. The rescan (`sync.engine.rescan`).

After a failure, the next sync begins with the same folder, because most errors are temporary. If three syncs failed in a
row, and the next one fails with an error that may concern only this folder, its turn ends, and the sync after that
continues with the other folders.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from integrations.messages import FolderId, FolderKind
from sync.engine.records import FolderRecord, Round

END_TURN_AFTER = 3
"""After this many failed syncs of the mailbox in a row, a failing folder no longer delays the other folders."""
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
    """Return whether a failure of this sync ends the turn of the folder, so that the next sync reads the others first.

    Args:
        now: The round that the mailbox is in, with its failed syncs.

    Returns:
        Whether the turn ends.
    """
    return now.failures >= END_TURN_AFTER


def _place(folder: FolderRecord) -> tuple[int, tuple[str, ...]]:
    return FIRST.get(folder.kind, 2), folder.path
