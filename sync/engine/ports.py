"""What the engine needs beside a source and a sink: a memory it can trust, and somebody who says when to stop."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from integrations.errors import FolderRefused
from integrations.messages import Change, ChangePage, CommentId, Cursor, FolderChanges, FolderId, ItemId
from sync.engine.prefilter import KnownItems
from sync.engine.records import (
    AnsweredEmail,
    ConfirmedEntry,
    DeadLetterRecord,
    FolderRecord,
    Found,
    Intention,
    ItemRecord,
    LedgerRecord,
    PageAttempt,
    PushResult,
    Round,
    Stored,
)


class LeaseLost(Exception):
    """Another worker has this mailbox now, or nobody has: whatever we still wanted to write is void."""


class CheckpointMoved(LeaseLost):
    """The cursor is no longer the one that this page came after: an admin dropped it, or another worker moved it."""


class SliceOver(Exception):
    """The slice of time is over or somebody pressed Stop: leave at once, at a safe point."""


class Control(Protocol):
    """The lease on the mailbox and the end of the time slice."""

    def keep_going(self) -> bool:
        """Between two batches: renew the lease, and say whether to go on, apart from the time.

        False when somebody pressed Stop, something is held, a budget is used up, or the worker has to leave. Raises
        `LeaseLost`.
        """

    def has_time(self) -> bool:
        """Whether the slice of time goes on. Asks nobody."""

    def keep_going_within(self) -> bool:
        """Between two emails of a batch: the same, but the database is asked only when it was not for some seconds."""

    def stopped(self) -> bool:
        """After the sync was told to end: whether somebody pressed Stop."""

    def still_mine(self, seconds: float) -> None:
        """Right before a push: raises `LeaseLost` unless the lease holds for as long as the push can take."""


class Checkpoints(Protocol):
    """The folders of one mailbox and where each of them stands. Every change demands the lease: else `LeaseLost`."""

    def folders_cursor(self) -> Cursor | None: ...

    def record_folders(self, changes: FolderChanges, *, complete: bool) -> None:
        """Keep the tree and its cursor. The entries of folders whose path changed become dirty.

        `complete`: the changes are the whole tree, and what is not among them is gone.
        """

    def round(self) -> Round:
        """The round of turns in which this sync began."""

    def next_round(self) -> None:
        """Every folder had its turn. What this sync still writes belongs to the round in which it began."""

    def folders(self) -> Sequence[FolderRecord]:
        """The folders that hold mail and are still there."""

    def begin(self, folder: FolderId) -> PageAttempt:
        """Count one more try at the page behind the checkpoint, before any work on it."""

    def excuse(self, folder: FolderId) -> None:
        """Take the count of `begin` back: the try ended in order, and no email of the page was to blame."""

    def hold(self, folder: FolderId, item: ItemId) -> None:
        """Note the item in hand, in case that it ends us."""

    def advance(
        self, folder: FolderId, page: ChangePage, *, before: Cursor | None, wanted: str, had_turn: bool = True
    ) -> bool:
        """Move the checkpoint behind a page by compare-and-swap, now that the page is delivered whole. Raises
        `CheckpointMoved`.

        `had_turn`: whether the folder has had its turn with that, whatever it still has to tell. Returns whether it has to be
        listed again instead, since its total tells of changes that no page told (`sync.engine.folder_totals`): then its
        cursor is dropped.
        """

    def end_turn(self, folder: FolderId, *, wanted: str) -> None:
        """Its turn is over although its checkpoint did not move: it fails again and again."""

    def not_found(self, folder: FolderId, *, wanted: str) -> None:
        """Its turn is over: the server says that it is not there. The next look at the tree tells whether it was deleted."""

    def refuse(self, folder: FolderId, error: FolderRefused, *, wanted: str, left_out: bool) -> None:
        """Its turn is over, as it cannot be read. Its checkpoint stays; the next try comes later, and ever more rarely.

        `left_out`: whether its mail is wanted.
        """

    def none_is_left_out(self) -> None:
        """All were refused, so it is the fault of the mailbox: the next sync tries each of them."""

    def restart(self, folder: FolderId) -> None:
        """Drop the cursor: the folder is listed again from its beginning, as one that had no turn yet."""

    def look_on(self, folder: FolderId, *, before: Cursor | None, after: Cursor | None, last: bool = False) -> None:
        """Move the cursor of looking through a folder by compare-and-swap. `last`: to its end, so that it is looked through by
        the present version of the rules."""

    def looked_through(self) -> None:
        """Every folder was looked through, and every change until then is followed."""


class Ledger(Protocol):
    """What the bucket in hand holds, and the copies of the mailbox in hand. Every change demands the lease."""

    trusted: bool
    """Whether what the ledger does not know is surely not in the bucket."""

    def known(self, folder: FolderId, changes: Sequence[Change]) -> KnownItems: ...

    def entries(self, ids: Sequence[CommentId]) -> Mapping[CommentId, LedgerRecord]: ...

    def intend(self, intentions: Sequence[Intention], *, flight: float) -> Sequence[Intention]:
        """Write these intentions, each only if its entry is still as it was seen; those written, with their sequence.

        `flight`: seconds after which the push of them has ended for sure. Insert-or-find: of two syncs that intend the
        same new comment, one writes and the other finds it later.
        """

    def still_stand(self, intentions: Sequence[Intention], seconds: float) -> None:
        """Right before the push: raises `Contended` unless nobody may touch these entries for as long as it can take."""

    def confirm(self, result: PushResult, delivered: Mapping[CommentId, Sequence[ItemRecord]]) -> None:
        """After the push: confirmed where the sequence is still ours, dirty where it is not; refusals undone.

        `delivered`: the copies that each comment stands for, remembered in the same transaction.
        """

    def settle(self, settled: Sequence[ConfirmedEntry], delivered: Mapping[CommentId, Sequence[ItemRecord]]) -> None:
        """Confirm without a push what the bucket was found to hold."""

    def defer(self, entry: LedgerRecord, change: Change) -> bool:
        """Make this copy the winner of an entry that is in flight elsewhere, and dirty; False if it changed meanwhile."""

    def remember(self, copies: Sequence[ItemRecord]) -> None: ...

    def forget(self, folder: FolderId, items: Sequence[ItemId]) -> None:
        """These items are no longer in this folder; a copy that was found in another one meanwhile is none of them.
        Their comments stay."""

    def adopt(self, pairs: Sequence[tuple[ItemRecord, Change]]) -> None:
        """Known emails have new item ids."""

    def set_aside(self, emails: Sequence[DeadLetterRecord]) -> int:
        """Let these wait. How many of them people should be told of: not those that are asked for again soon."""

    def due_again(self, most: int, *, apart_from: Collection[FolderId] = ()) -> Sequence[Change]:
        """Set-aside emails whose next try is due, without those in these folders."""

    def trying(self, item: ItemId) -> None:
        """Count one more try of a set-aside email, with its next try later, before any work on it: it may end us."""

    def not_tried(self, item: ItemId) -> None:
        """Take the count of `trying` back: what failed was not this email."""

    def vanished(self, changes: Sequence[Change]) -> None:
        """These were listed and are not there: look for them a few times more, and then take them for deleted."""

    def dirty(self, most: int, *, apart_from: Collection[FolderId] = ()) -> Sequence[Change]:
        """Copies of this mailbox that won an entry whose properties need to be sent again, without those in these folders."""

    def abandon(self, item: ItemId) -> None:
        """The winning copy of a dirty entry is gone: let another copy win, or leave the comment as it is."""

    def forget_former(self) -> None:
        """Every wanted folder was listed to its end: what still bears an id of the source before is not there any more."""

    def withhold(self, found: Sequence[Found]) -> None:
        """Remember what newer rules want, and whose answer it waits for."""

    def brought(self, most: int, *, apart_from: Collection[FolderId] = ()) -> Sequence[AnsweredEmail]:
        """Emails that newer rules want and that may come now, without those in these folders; those that were tried often
        come last."""

    def bringing(self, keys: Sequence[CommentId]) -> None:
        """Count one more try of these, before any work on them: one of them may end us."""

    def not_brought(self, keys: Sequence[CommentId]) -> None:
        """Take the count of `bringing` back: the try ended in order, and said of each email what came of it, or of none."""

    def unsettled(self, most: int) -> Sequence[CommentId]:
        """Intentions of this mailbox that stand although no push of them can still be going on."""

    def conclude(self, ids: Sequence[CommentId], stored: Stored) -> None:
        """Settle these by what the bucket holds: confirmed where it has them, forgotten where it has not."""
