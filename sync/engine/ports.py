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
    """This worker no longer holds the lease on the mailbox, so it must not write anything more."""


class CheckpointMoved(LeaseLost):
    """The stored cursor is not the one before this page. An administrator dropped it, or another worker moved it."""


class SliceOver(Exception):
    """The time slice is over or a user pressed *Stop*: the sync ends here, at a safe point."""


class Control(Protocol):
    """Shows whether the sync may continue: the lease on the mailbox, the time slice, *Stop* and other limits."""

    def keep_going(self) -> bool:
        """Renew the lease between two batches and return whether the sync may continue. Ignores the time slice.

        Returns:
            False when a user pressed *Stop*, a circuit breaker is open, a budget is used up, or the worker is shutting
            down.

        Raises:
            LeaseLost: Another worker holds the lease.
        """

    def has_time(self) -> bool:
        """Return whether the time slice has not ended yet. Makes no query."""

    def keep_going_in_batch(self) -> bool:
        """Return the same as `keep_going` between two emails of a batch, with a database query only every few seconds.

        Returns:
            Whether the sync may continue.

        Raises:
            LeaseLost: Another worker holds the lease.
        """

    def stopped(self) -> bool:
        """Return whether a user pressed *Stop*. Called after the sync was ended."""

    def require_lease(self, seconds: float) -> None:
        """Require, right before a push, that the lease lasts for as long as the push can take.

        Args:
            seconds: The longest time that the push can take.

        Raises:
            LeaseLost: Another worker holds the lease.
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
            LeaseLost: Another worker holds the lease.
        """

    def round(self) -> Round:
        """Return the round of folder turns in which this sync began."""

    def next_round(self) -> None:
        """Begin the next round, since every folder had its turn.

        Later writes of this sync still count for the round in which the sync began.
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
            LeaseLost: Another worker holds the lease.
        """

    def uncount_attempt(self, folder: FolderId) -> None:
        """Undo the count of `begin`, because no email of the page caused the end of the attempt.

        Args:
            folder: The folder of the page.
        """

    def record_item_in_hand(self, folder: FolderId, item: ItemId) -> None:
        """Store which item is processed next. If the item crashes the worker process, the next attempt finds its id.

        Args:
            folder: The folder of the item.
            item: The item that is processed next.
        """

    def advance(
        self, folder: FolderId, page: ChangePage, *, before: Cursor | None, wanted: str, had_turn: bool = True
    ) -> bool:
        """Move the checkpoint to the end of a page by compare-and-swap, after the page was delivered completely.

        Args:
            folder: The folder of the page.
            page: The page, with the cursor after it.
            before: The cursor with which the page was requested; None at the beginning of a listing.
            wanted: The filter digest under which the page was processed.
            had_turn: The folder has had its turn with this page, even if more pages follow.

        Returns:
            Whether the folder has to be listed again, because its total shows changes that no page reported
            (`sync.engine.folder_totals`). Its cursor is dropped then.

        Raises:
            CheckpointMoved: The stored cursor is not `before`.
            LeaseLost: Another worker holds the lease.
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
        """Let the next sync try every refused folder. Called if all were refused: then the mailbox is at fault."""

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
            after: The rescan cursor after the page.
            last: The listing ended, so the folder is rescanned for the present version of the fixed rules.
        """

    def mark_rescanned(self) -> None:
        """Record that every folder was rescanned for the present version, and that all changes since were read."""


class Ledger(Protocol):
    """The stored records of the comments of the bucket and of the items of the mailbox.

    Every write requires the lease and raises `LeaseLost` without it.
    """

    trusted: bool
    """The ledger contains every comment of the bucket: a comment without an entry is not in the bucket."""

    def known(self, folder: FolderId, changes: Sequence[Change]) -> KnownItems:
        """Return the stored data that concern the items of a page.

        Args:
            folder: The folder of the page.
            changes: The changes of the page.

        Returns:
            The stored items, ledger entries and keys.
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

        If two syncs intend the same new comment, one inserts the entry. The other finds that entry when it retries.

        Args:
            intentions: The intended pushes.
            flight: Seconds after which the push has certainly ended.

        Returns:
            The intentions that were written, with their mark.

        Raises:
            LeaseLost: Another worker holds the lease.
        """

    def require_unchanged(self, intentions: Sequence[Intention], seconds: float) -> None:
        """Require, right before a push, that its entries are unchanged and stay protected until the push ends.

        While an intention is in flight, other syncs do not change its entry.

        Args:
            intentions: The intentions that `intend` wrote.
            seconds: The longest time that the push can take.

        Raises:
            Contended: An entry was changed, or may be changed before the push ends.
        """

    def confirm(self, result: PushResult, delivered: Mapping[CommentId, Sequence[ItemRecord]]) -> None:
        """Record the result of a push.

        An accepted comment is confirmed if its entry still has the mark of the intention. Otherwise the entry becomes
        dirty. Refused intentions are undone.

        Args:
            result: The intentions that the bucket accepted and refused.
            delivered: The items of each accepted comment, stored in the same transaction.

        Raises:
            LeaseLost: Another worker holds the lease. The result itself was recorded.
        """

    def settle(self, settled: Sequence[ConfirmedEntry], delivered: Mapping[CommentId, Sequence[ItemRecord]]) -> None:
        """Confirm entries without a push, because the bucket has their comments already.

        Args:
            settled: The entries.
            delivered: The items of each comment, stored in the same transaction.

        Raises:
            LeaseLost: Another worker holds the lease.
        """

    def defer(self, entry: LedgerRecord, change: Change) -> bool:
        """Make an item the winner of an entry that another sync is pushing now, and mark the entry dirty.

        Args:
            entry: The entry as it was read.
            change: The item.

        Returns:
            False if the entry changed since it was read.

        Raises:
            LeaseLost: Another worker holds the lease.
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
        """Store the new item ids of known emails.

        Args:
            pairs: The stored item, and the change with its new id.
        """

    def add_dead_letters(self, emails: Sequence[DeadLetterRecord]) -> int:
        """Record emails that cannot be delivered now.

        Args:
            emails: The emails, with the reasons.

        Returns:
            How many of them pages show. An email that is retried soon is not shown.
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

        Called before the retry begins, because the email may crash the worker.

        Args:
            item: The item id.
        """

    def undo_retry(self, item: ItemId) -> None:
        """Undo the count of `begin_retry`: the email did not cause the failure.

        Args:
            item: The item id.
        """

    def record_vanished(self, changes: Sequence[Change]) -> None:
        """Record emails that a folder listed and that cannot be found.

        They are looked up a few more times and then treated as deleted.

        Args:
            changes: The emails.
        """

    def dirty(self, most: int, *, apart_from: Collection[FolderId] = ()) -> Sequence[Change]:
        """Return items of this mailbox that are winners of dirty entries. Their properties have to be pushed again.

        Args:
            most: The largest number to return.
            apart_from: Folders whose items are not returned.

        Returns:
            The items as changes.
        """

    def abandon(self, item: ItemId) -> None:
        """Replace a winner that no longer exists by another item. If there is none, the comment stays as it is.

        Args:
            item: The item id of the winner of a dirty entry.
        """

    def forget_foreign(self) -> None:
        """Delete items with foreign ids. Every wanted folder was listed to its end, so they no longer exist."""

    def withhold(self, found: Sequence[Found]) -> None:
        """Store newly wanted emails, each with the version on which an administrator has to decide.

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
        """Count an attempt at newly wanted emails before it begins, because one of them may crash the worker.

        Args:
            keys: Their keys (`sync.engine.newly_wanted.key_of`).
        """

    def undo_delivery(self, keys: Sequence[CommentId]) -> None:
        """Undo the count of `begin_delivery`, because none of the emails crashed the worker.

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
        """Confirm the intentions whose comments the bucket has, and delete the others.

        Args:
            ids: The comment ids that were requested from the bucket.
            stored: The comments that the bucket returned.
        """
