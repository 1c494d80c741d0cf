"""Ports of the engine besides source and sink: the run control, the checkpoints and the ledger."""

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
    """This worker no longer holds the lease on the mailbox. Nothing that it still wants to write may be written."""


class CheckpointMoved(LeaseLost):
    """The stored cursor is not the one before this page: an administrator dropped it or another worker moved it."""


class SliceOver(Exception):
    """The time slice is over or a user pressed *Stop*: the sync ends here, at a safe point."""


class Control(Protocol):
    """The lease on the mailbox and the end of the time slice."""

    def keep_going(self) -> bool:
        """Renew the lease between two batches and return whether the sync may go on, apart from the time slice.

        Returns:
            False when a user pressed *Stop*, a circuit breaker is open, a budget is used up, or the worker is shutting
            down.

        Raises:
            LeaseLost: Another worker has the mailbox.
        """

    def has_time(self) -> bool:
        """Return whether the time slice still lasts. Makes no query."""

    def keep_going_in_batch(self) -> bool:
        """Return the same as `keep_going` between two emails of a batch, with a database query only every few seconds.

        Returns:
            Whether the sync may go on.

        Raises:
            LeaseLost: Another worker has the mailbox.
        """

    def stopped(self) -> bool:
        """Return whether a user pressed *Stop*. Called after the sync was ended."""

    def require_lease(self, seconds: float) -> None:
        """Require, right before a push, that the lease lasts for as long as the push can take.

        Args:
            seconds: The longest time that the push can take.

        Raises:
            LeaseLost: Another worker has the mailbox.
        """


class Checkpoints(Protocol):
    """The folders of one mailbox and their checkpoints.

    Every write requires the lease and raises `LeaseLost` without it.
    """

    def folders_cursor(self) -> Cursor | None:
        """Return the cursor of the folder tree; None when the whole tree has to be listed."""

    def record_folders(self, changes: FolderChanges, *, complete: bool) -> None:
        """Store the folder tree and its cursor. Ledger entries of folders whose path changed become dirty.

        Args:
            changes: The changes of the tree, with the next cursor.
            complete: The changes are the whole tree; a folder that is missing from them is gone.

        Raises:
            LeaseLost: Another worker has the mailbox.
        """

    def round(self) -> Round:
        """Return the round of folder turns in which this sync began."""

    def next_round(self) -> None:
        """Begin the next round, since every folder had its turn.

        What this sync still writes counts for the round in which it began.
        """

    def folders(self) -> Sequence[FolderRecord]:
        """Return the folders that hold mail and still exist."""

    def begin(self, folder: FolderId) -> PageAttempt:
        """Count one more attempt at the page after the checkpoint, before any work on it.

        Args:
            folder: The folder of the page.

        Returns:
            The number of the attempt, and the item at which the attempt before it ended.

        Raises:
            LeaseLost: Another worker has the mailbox.
        """

    def uncount_attempt(self, folder: FolderId) -> None:
        """Undo the count of `begin`: the attempt ended regularly, and no email of the page caused it.

        Args:
            folder: The folder of the page.
        """

    def record_item_in_hand(self, folder: FolderId, item: ItemId) -> None:
        """Store which item is processed now, in case that it ends the worker process.

        Args:
            folder: The folder of the item.
            item: The item that is processed next.
        """

    def advance(
        self, folder: FolderId, page: ChangePage, *, before: Cursor | None, wanted: str, had_turn: bool = True
    ) -> bool:
        """Move the checkpoint behind a page by compare-and-swap, after the page was delivered completely.

        Args:
            folder: The folder of the page.
            page: The page, with the cursor behind it.
            before: The cursor with which the page was requested; None at the beginning of a listing.
            wanted: The filter digest under which the page was processed.
            had_turn: The folder has had its turn with this page, even if more pages follow.

        Returns:
            Whether the folder has to be listed again, because its total shows changes that no page reported
            (`sync.engine.folder_totals`). Its cursor is dropped then.

        Raises:
            CheckpointMoved: The stored cursor is not `before`.
            LeaseLost: Another worker has the mailbox.
        """

    def end_turn(self, folder: FolderId, *, wanted: str) -> None:
        """End the turn of a folder without moving its checkpoint, because the folder fails repeatedly.

        Args:
            folder: The folder.
            wanted: The present filter digest.
        """

    def not_found(self, folder: FolderId, *, wanted: str) -> None:
        """End the turn of a folder that the server does not find.

        The next read of the tree shows whether it was deleted.

        Args:
            folder: The folder.
            wanted: The present filter digest.
        """

    def refuse(self, folder: FolderId, error: FolderRefused, *, wanted: str, left_out: bool) -> None:
        """End the turn of a folder that cannot be read.

        Its checkpoint stays, and each retry comes after a longer pause.

        Args:
            folder: The folder.
            error: Why the server refused it.
            wanted: The present filter digest.
            left_out: The mail of the folder is wanted.
        """

    def clear_left_out(self) -> None:
        """Let the next sync try every refused folder: all were refused, so the mailbox is at fault and no folder is."""

    def restart(self, folder: FolderId) -> None:
        """Drop the cursor of a folder, so that it is listed from its beginning like a folder that had no turn yet.

        Args:
            folder: The folder.
        """

    def move_rescan_cursor(
        self, folder: FolderId, *, before: Cursor | None, after: Cursor | None, last: bool = False
    ) -> None:
        """Move the rescan cursor of a folder by compare-and-swap.

        Args:
            folder: The folder.
            before: The rescan cursor with which the page was requested.
            after: The rescan cursor behind the page.
            last: The listing ended, so the folder is rescanned for the present version of the fixed rules.
        """

    def mark_rescanned(self) -> None:
        """Record that every folder was rescanned for the present version, and that every change until then was read."""


class Ledger(Protocol):
    """What the bucket holds and the items of the mailbox.

    Every write requires the lease and raises `LeaseLost` without it.
    """

    trusted: bool
    """The ledger contains every comment of the bucket: what it does not contain is not in the bucket."""

    def known(self, folder: FolderId, changes: Sequence[Change]) -> KnownItems:
        """Return what is stored about the items of a page.

        Args:
            folder: The folder of the page.
            changes: The changes of the page.

        Returns:
            The stored items, ledger entries and keys that bear on the page.
        """

    def entries(self, ids: Sequence[CommentId]) -> Mapping[CommentId, LedgerRecord]:
        """Return the ledger entries of these comments.

        Args:
            ids: Comment ids.

        Returns:
            Entries by comment id; unknown comments are missing.
        """

    def intend(self, intentions: Sequence[Intention], *, flight: float) -> Sequence[Intention]:
        """Write intentions before a push, each only if its entry has not changed since it was read.

        Of two syncs that intend the same new comment, one inserts the entry and the other finds it later.

        Args:
            intentions: What is to be pushed.
            flight: Seconds after which the push has certainly ended.

        Returns:
            The intentions that were written, with their mark.

        Raises:
            LeaseLost: Another worker has the mailbox.
        """

    def require_unchanged(self, intentions: Sequence[Intention], seconds: float) -> None:
        """Require, right before the push, that the intentions still stand and no other sync may change their entries.

        Args:
            intentions: The intentions that `intend` wrote.
            seconds: The longest time that the push can take.

        Raises:
            Contended: An entry was changed, or may be changed before the push ends.
        """

    def confirm(self, result: PushResult, delivered: Mapping[CommentId, Sequence[ItemRecord]]) -> None:
        """Record the result of a push.

        Accepted comments are confirmed while their mark stands, and become dirty otherwise. Refused intentions are
        undone.

        Args:
            result: The intentions that the bucket accepted and refused.
            delivered: The items of each accepted comment, stored in the same transaction.

        Raises:
            LeaseLost: Another worker has the mailbox. The result itself was recorded.
        """

    def settle(self, settled: Sequence[ConfirmedEntry], delivered: Mapping[CommentId, Sequence[ItemRecord]]) -> None:
        """Confirm without a push what the bucket was found to hold.

        Args:
            settled: The entries.
            delivered: The items of each comment, stored in the same transaction.

        Raises:
            LeaseLost: Another worker has the mailbox.
        """

    def defer(self, entry: LedgerRecord, change: Change) -> bool:
        """Make an item the winner of an entry that another sync is pushing now, and mark the entry dirty.

        Args:
            entry: The entry as it was read.
            change: The item.

        Returns:
            False if the entry changed since it was read.

        Raises:
            LeaseLost: Another worker has the mailbox.
        """

    def remember(self, items: Sequence[ItemRecord]) -> None:
        """Store items with their verdicts.

        Args:
            items: The items.
        """

    def forget(self, folder: FolderId, items: Sequence[ItemId]) -> None:
        """Delete items that are no longer in this folder. Their comments stay.

        An item that was found in another folder meanwhile is kept.

        Args:
            folder: The folder that reported the items.
            items: Item ids.
        """

    def adopt(self, pairs: Sequence[tuple[ItemRecord, Change]]) -> None:
        """Give known emails their new item ids.

        Args:
            pairs: The stored item, and the change with its new id.
        """

    def add_dead_letters(self, emails: Sequence[DeadLetterRecord]) -> int:
        """Record emails that cannot be delivered now.

        Args:
            emails: The emails, with the reasons.

        Returns:
            How many of them are shown to people. An email that is retried soon is not shown.
        """

    def due_dead_letters(self, most: int, *, apart_from: Collection[FolderId] = ()) -> Sequence[Change]:
        """Return dead letters whose retry is due.

        Args:
            most: The largest number to return.
            apart_from: Folders whose emails are not returned.

        Returns:
            The emails as changes.
        """

    def begin_retry(self, item: ItemId) -> None:
        """Count a retry of a dead letter and schedule the next one.

        The email may end the worker, so this comes before any work.

        Args:
            item: The item id.
        """

    def undo_retry(self, item: ItemId) -> None:
        """Undo the count of `begin_retry`: the email did not cause the failure.

        Args:
            item: The item id.
        """

    def record_vanished(self, changes: Sequence[Change]) -> None:
        """Record emails that were listed and are not found.

        They are looked up a few times more, then treated as deleted.

        Args:
            changes: The emails.
        """

    def dirty(self, most: int, *, apart_from: Collection[FolderId] = ()) -> Sequence[Change]:
        """Return items of this mailbox that are winners of dirty entries, whose properties have to be sent again.

        Args:
            most: The largest number to return.
            apart_from: Folders whose items are not returned.

        Returns:
            The items as changes.
        """

    def abandon(self, item: ItemId) -> None:
        """Replace a winner that is gone: another item of the comment wins, or the comment stays as it is.

        Args:
            item: The item id of the winner of a dirty entry.
        """

    def forget_foreign(self) -> None:
        """Delete items with foreign ids. Every wanted folder was listed to its end, so they no longer exist."""

    def withhold(self, found: Sequence[Found]) -> None:
        """Store emails that newer rules want, with the version whose answer they wait for.

        Args:
            found: The emails.
        """

    def deliverable(self, most: int, *, apart_from: Collection[FolderId] = ()) -> Sequence[AnsweredEmail]:
        """Return newly wanted emails that may be delivered now, the least attempted first.

        Args:
            most: The largest number to return.
            apart_from: Folders whose emails are not returned.

        Returns:
            The emails, with their keys and attempts.
        """

    def begin_delivery(self, keys: Sequence[CommentId]) -> None:
        """Count an attempt at newly wanted emails before any work on them: one of them may end the worker.

        Args:
            keys: Their keys (`sync.engine.newly_wanted.key_of`).
        """

    def undo_delivery(self, keys: Sequence[CommentId]) -> None:
        """Undo the count of `begin_delivery`: the attempt ended regularly and ended the worker for none of them.

        Args:
            keys: Their keys.
        """

    def unsettled(self, most: int) -> Sequence[CommentId]:
        """Return intentions of this mailbox that were never confirmed although their push has certainly ended.

        Args:
            most: The largest number to return.

        Returns:
            Their comment ids.
        """

    def conclude(self, ids: Sequence[CommentId], stored: Stored) -> None:
        """Settle intentions by what the bucket holds: confirm those that it has, delete those that it has not.

        Args:
            ids: The comment ids that the bucket was asked for.
            stored: The comments that it returned.
        """
