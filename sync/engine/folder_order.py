"""In which order the folders of a mailbox are read, when a sync may end long before all of them were. Pure.

A sync lasts one slice of time. Each folder has one turn in each *round*; what is kept of a round between two slices is its
number and, of each folder, the last round in which it had its turn. A turn lasts until the folder has nothing more to tell, or
until the slice ends. A *pass* is complete when every folder was read to its end since the pass began; then the mailbox is up to
date, and a new pass begins. It lasts one round when no folder needs more than its turn, and otherwise several.

In a slice these come first, in this order:

1. Folders whose mail is not wanted and that did not have their turn in this round. Their turn is over only at their end,
   however many slices that takes: on a first sync nothing is known until then, so that a copy in Deleted Items never wins over
   the one in a wanted folder.
2. Other folders that did not have their turn in this round: the inbox, then what was sent, then the rest by path. Folders that
   are new, or have to be listed again, are among them.

When all had their turn, the next round begins, and what is left of the slice is for

3. folders that had a turn in this pass and did not come to their end (a large backfill), the one that waited longest first.
   They come after the others, so new mail in the inbox does not wait until a backfill is done; and every round but those of
   leftovers has time for one of them, so the backfill is done some day;
4. leftovers (`sync.engine.backlog`). While a backfill goes on, they come before it in every second round, so that
neither takes all
   the time.

A folder at which a sync fails is tried first by the next one, as most faults pass. After three failures in a row its turn ends
with the failure, and the folders behind it have theirs.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from integrations.messages import FolderId, FolderKind
from sync.engine.records import FolderRecord, Round

HAND_OVER_AFTER = 3
"""Failed syncs of the mailbox in a row, after which a folder that fails holds up no other."""
FIRST = {FolderKind.INBOX: 0, FolderKind.SENT: 1}


@dataclass(frozen=True, slots=True)
class FolderOrder:
    """The folders of a mailbox in the order in which a sync reads them."""

    waiting: Sequence[FolderRecord]
    """They did not have their turn in this round."""
    unfinished: Sequence[FolderRecord]
    """They had one in this pass, did not come to their end, and go on when nobody waits."""


def turns(folders: Sequence[FolderRecord], followed: Collection[FolderId], digest: str, now: Round) -> FolderOrder:
    """Sort the folders of a mailbox.

    `followed`: folders whose mail is not wanted. `digest`: of what is wanted now; a folder that was listed for something else
    counts as one that was never listed.
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


def leftovers_come_first(now: Round) -> bool:
    """Whether leftovers come before the folders that are unfinished. Both can take all that is left of a slice."""
    return now.number % 2 == 0


def hands_over(now: Round) -> bool:
    """Whether a folder at which this sync fails ends its turn with that, so that those behind it have theirs."""
    return now.failures >= HAND_OVER_AFTER


def _place(folder: FolderRecord) -> tuple[int, tuple[str, ...]]:
    return FIRST.get(folder.kind, 2), folder.path
