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
    """The stored cursor is not the cursor with which the page was requested.

    An administrator dropped the stored cursor, or another worker moved it.
    """


class SliceOver(Exception):
    """The sync has to end now, at a safe point: its time slice is over, or `Control.keep_going` returned False."""


class Control(Protocol):
    """Shows whether the sync may continue.

    The lease, the time slice, *Stop*, circuit breakers, the AI unit budget and a shutdown of the worker are checked.
    """

    def keep_going(self) -> bool:
        """Renew the lease between two batches and return whether the sync may continue. Ignores the time slice.

        Returns:
            False when a user pressed *Stop*, the mailbox was deleted, a circuit breaker is open and this sync is not
            its trial, the AI unit budget is used up, or the worker is shutting down.

        Raises:
            LeaseLost: The lease ended, or another worker holds it.
        """

    def has_time(self) -> bool:
        """Return whether the time slice has not ended yet. Makes no query."""

    def keep_going_in_batch(self) -> bool:
        """Return whether the sync may continue between two emails of a batch. Calls `keep_going` only every few seconds.

        Returns:
            Whether the sync may continue.

        Raises:
            LeaseLost: The lease ended, or another worker holds it.
        """

    def stopped(self) -> bool:
        """Return whether the mailbox or its integration was stopped, or the mailbox deleted. Called after the sync ended."""

    def require_lease(self, seconds: float) -> None:
        """Require, right before a push, that the lease lasts for as long as the push can take.

        Args:
            seconds: The longest time that the push can take.

        Raises:
            LeaseLost: The lease ended, or another worker holds it.
        """


class Checkpoints(Protocol):
    """The folders of one mailbox and their checkpoints.

    Every write, except by `uncount_attempt` and `record_item_in_hand`, requires the lease and raises `LeaseLost` without
    it.
    """

    def folders_cursor(self) -> Cursor | None:
        """Return the cursor of the folder tree; None when the whole tree has to be listed."""

    def record_folders(self, changes: FolderChanges, *, complete: bool) -> None:
        """Store the folder tree and its cursor. Ledger entries whose winner is in a folder with a new path become dirty.

        Args:
            changes: The changes of the tree, with the next cursor.
            complete: Whether the changes are the whole tree. If true, a stored folder that is not among them is gone.

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
            The number of the attempt, and the item at which an earlier attempt ended.

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
            had_turn: Whether the folder has had its turn with this page, even if more pages follow.

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
            wanted: The current filter digest.
        """

    def not_found(self, folder: FolderId, *, wanted: str) -> None:
        """End the turn of a folder that the server does not find.

        The next read of the tree shows whether the folder was deleted.

        Args:
            folder: The folder.
            wanted: The current filter digest.
        """

    def refuse(self, folder: FolderId, error: FolderRefused, *, wanted: str, left_out: bool) -> None:
        """End the turn of a folder that cannot be read.

        Its checkpoint does not move. It is retried after a pause: see `sync.engine.folder_refusals`.

        Args:
            folder: The folder.
            error: Why the server refused it.
            wanted: The current filter digest.
            left_out: Whether the mail of the folder is wanted, so that the folder counts as left out.
        """

    def clear_left_out(self) -> None:
        """Let the next sync try every refused folder, and count none as left out.

        Called if all folders are refused: then the mailbox is at fault.
        """

    def restart(self, folder: FolderId) -> None:
        """Drop the cursor of a folder. The folder is then listed from its beginning, like a folder that had no turn yet.

        Args:
            folder: The folder.
        """

    def move_rescan_cursor(
        self, folder: FolderId, *, before: Cursor | None, after: Cursor | None, last: bool = False
    ) -> None:
        """Move the rescan cursor of a folder by compare-and-swap.

        Args:
            folder: The folder.
            before: The rescan cursor with which the page was requested; None at the beginning.
            after: The rescan cursor after the page; None if the rescan of the folder begins again or is not needed.
            last: Whether the rescan of the folder has ended, or its mail is not wanted. The folder then counts as
                rescanned for the version of the fixed rules in this release.
        """

    def mark_rescanned(self) -> None:
        """Record that the mailbox was rescanned for the version of the fixed rules in this release.

        Called when every folder that can be read was rescanned, and all changes since then were read.
        """


class Ledger(Protocol):
    """The stored records of the comments of the bucket and of the items of the mailbox.

    Every write requires the lease and raises `LeaseLost` without it. Only `confirm` stores the result of a push even
    without the lease.
    """

    trusted: bool
    """The ledger contains every comment of the bucket: a comment without an entry is not in the bucket."""

    def known(self, folder: FolderId, changes: Sequence[Change]) -> KnownItems:
        """Return the stored data that concern the items of a page.

        Args:
            folder: The folder of the page.
            changes: The changes of the page.

        Returns:
            Stored items, ledger entries, and keys of newly wanted emails.
        """

    def entries(self, ids: Sequence[CommentId]) -> Mapping[CommentId, LedgerRecord]:
        """Return the ledger entries of these comments.

        Args:
            ids: Comment ids.

        Returns:
            Entries by comment id; unknown comments are omitted.
        """

    def intend(self, intentions: Sequence[Intention], *, flight: float) -> Sequence[Intention]:
        """Write intentions before a push, each only if its entry has not changed since it was read.

        If two syncs intend the same new comment, one sync inserts the entry. The other sync finds that entry when it
        retries.

        Args:
            intentions: The intended pushes.
            flight: Seconds after which the push has certainly ended.

        Returns:
            The intentions that were written. Each has the mark that is stored in its entry.

        Raises:
            LeaseLost: Another worker holds the lease.
        """

    def require_unchanged(self, intentions: Sequence[Intention], seconds: float) -> None:
        """Require, right before a push, that the entries of its comments are unchanged, and are in flight until the push ends.

        While an intention is in flight, the syncs of other mailboxes do not push its comment.

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
            delivered: The items of each accepted comment. They are stored in the same transaction, if the lease is held.

        Raises:
            LeaseLost: Another worker holds the lease. The result itself was recorded.
        """

    def settle(self, settled: Sequence[ConfirmedEntry], delivered: Mapping[CommentId, Sequence[ItemRecord]]) -> None:
        """Confirm entries without a push, because the bucket has their comments already.

        Args:
            settled: The entries.
            delivered: The items of each comment. They are stored in the same transaction.

        Raises:
            LeaseLost: Another worker holds the lease.
        """

    def defer(self, entry: LedgerRecord, change: Change) -> bool:
        """Make an item the winner of an entry whose comment another sync is pushing now, and mark the entry dirty.

        Args:
            entry: The entry as it was read.
            change: The item.

        Returns:
            False if the entry changed since it was read.

        Raises:
            LeaseLost: Another worker holds the lease.
        """

    def remember(self, items: Sequence[ItemRecord]) -> None:
        """Store items. A dead letter of an item is settled if the verdict is that the item is delivered or not wanted.

        Args:
            items: The items, each with its verdict: delivered, or the reason why it is not.
        """

    def forget(self, folder: FolderId, items: Sequence[ItemId]) -> None:
        """Delete items that are no longer in this folder. Their comments stay.

        An item that was found in another folder meanwhile is not deleted.

        Args:
            folder: The folder that reported the items.
            items: Item ids.
        """

    def adopt(self, pairs: Sequence[tuple[ItemRecord, Change]]) -> None:
        """Store the new item ids of known emails.

        Args:
            pairs: Pairs of a stored item and the change with the new id of that item.
        """

    def add_dead_letters(self, emails: Sequence[DeadLetterRecord]) -> int:
        """Record emails that cannot be delivered now.

        Args:
            emails: The emails, with the reasons.

        Returns:
            The number of these emails that pages show as failed. An email in a hidden stage (`HIDDEN_STAGES`) is not
            shown.
        """

    def due_dead_letters(self, most: int, *, apart_from: Collection[FolderId] = ()) -> Sequence[Change]:
        """Return dead letters whose retry is due, or that a newer version of the conversion may deliver.

        Args:
            most: Maximum number to return.
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

        These emails are looked up a few more times and then treated as deleted.

        Args:
            changes: The emails.
        """

    def dirty(self, most: int, *, apart_from: Collection[FolderId] = ()) -> Sequence[Change]:
        """Return items of this mailbox that are winners of dirty entries. Their properties have to be pushed again.

        Args:
            most: Maximum number to return.
            apart_from: Folders whose items are not returned.

        Returns:
            The items as changes.
        """

    def abandon(self, item: ItemId) -> None:
        """Replace a winner that no longer exists by another item of the comment.

        If there is no other item, the entry is no longer dirty.

        Args:
            item: The item id of the winner of a dirty entry.
        """

    def forget_foreign(self) -> None:
        """Delete the items with foreign ids that are left after a change of the source.

        Called when every wanted folder was listed to its end with the present source. An item that still has a foreign
        id then no longer exists. The dead letters of these items are settled, and other items become the winners of
        their dirty entries.
        """

    def withhold(self, found: Sequence[Found]) -> None:
        """Store newly wanted emails, each with the version on which an administrator has to decide.

        Version 0: the email is delivered at once.

        Args:
            found: The emails.
        """

    def deliverable(self, most: int, *, apart_from: Collection[FolderId] = ()) -> Sequence[AnsweredEmail]:
        """Return newly wanted emails that may be delivered now. Emails with the fewest attempts are chosen.

        Args:
            most: Maximum number of emails. An email may have several items.
            apart_from: Folders whose emails are not returned.

        Returns:
            The items of the emails, with their keys and attempts.
        """

    def begin_delivery(self, keys: Sequence[CommentId]) -> None:
        """Count an attempt at newly wanted emails before it begins, because one of them may crash the worker.

        Args:
            keys: The keys of the emails (`sync.engine.newly_wanted.key_of`).
        """

    def undo_delivery(self, keys: Sequence[CommentId]) -> None:
        """Undo the count of `begin_delivery`, because none of the emails crashed the worker.

        Args:
            keys: The keys of the emails.
        """

    def unsettled(self, most: int) -> Sequence[CommentId]:
        """Return intentions of this mailbox that were never confirmed although their push has certainly ended.

        Intentions of deleted mailboxes are included. Intentions whose entry another mailbox deferred are not included.

        Args:
            most: Maximum number to return.

        Returns:
            The comment ids of the intentions.
        """

    def conclude(self, ids: Sequence[CommentId], stored: Stored) -> None:
        """Confirm the intentions whose comments the bucket has, and delete the others.

        Args:
            ids: The comment ids that were requested from the bucket.
            stored: The comments that the bucket returned.
        """
