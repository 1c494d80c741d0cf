"""Implements the port `sync.engine.ports.Ledger` on the database.

Each method that writes checks the lease in the transaction of the write. Only `confirm` also writes without the lease,
because the push cannot be undone. The tables are accessed in `sync.store.entries`, `sync.store.items`,
`sync.store.dead_letters` and `sync.store.newly_wanted_items`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from django.db import transaction

from conversion.identity import listed_comment_id
from integrations.dead_letter_reasons import DeadLetterKind
from integrations.messages import Change, CommentId, FolderId, ItemId
from sync.engine.foreign_ids import is_foreign
from sync.engine.newly_wanted import key_of
from sync.engine.ports import LeaseLost
from sync.engine.prefilter import KnownItems
from sync.engine.records import (
    SET_ASIDE,
    AnsweredEmail,
    ConfirmedEntry,
    DeadLetterRecord,
    Found,
    Intention,
    ItemRecord,
    LedgerRecord,
    PushResult,
    Stored,
)
from sync.models import MailboxState
from sync.store.dead_letters import DeadLetterStore, dead_letter_item
from sync.store.entries import Entries
from sync.store.items import MailboxItemStore
from sync.store.lease import Lease
from sync.store.newly_wanted_items import NewlyWantedStore


class DatabaseLedger:
    """Implements `sync.engine.ports.Ledger`, which documents arguments, results and errors of the methods."""

    def __init__(self, lease: Lease, bucket_id: int, *, trusted: bool, transform_version: int) -> None:
        """Open the ledger of a bucket for a sync of a mailbox.

        Args:
            lease: The lease of the sync.
            bucket_id: The key of the bucket.
            trusted: The ledger contains every comment of the bucket.
            transform_version: The version of the conversion in this process.
        """
        self.lease = lease
        self.trusted = trusted
        self._entries = Entries(lease, bucket_id)
        self._items = MailboxItemStore(lease.mailbox_id)
        self._dead_letters = DeadLetterStore(lease.mailbox_id, transform_version)
        self._newly_wanted = NewlyWantedStore(lease.mailbox_id)

    # ---- reading --------------------------------------------------------------------------------------------------

    def known(self, folder: FolderId, changes: Sequence[Change]) -> KnownItems:
        """Return the stored data that concern the items of a page. See `Ledger.known`."""
        listed = {listed for change in changes if (listed := listed_comment_id(change.message_id))}
        items = self._items.of_items(change.item_id for change in changes)
        twins = self._items.twins(folder, listed)
        known = [*items.values(), *(item for same in twins.values() for item in same)]
        ids = listed | {item.comment_id for item in known if item.comment_id}
        until = self._former_until() if any(is_foreign(item.item_id) for item in known) else None
        nameless, waiting = (
            self._items.nameless(changes),
            self._newly_wanted.among(key_of(change) for change in changes),
        )
        return KnownItems(items, twins, self._entries_by_id(ids, listed), nameless, until, waiting)

    def _former_until(self) -> datetime | None:
        state = MailboxState.objects.filter(pk=self.lease.mailbox_id)
        return state.values_list("former_until", flat=True).first()

    def entries(self, ids: Sequence[CommentId]) -> Mapping[CommentId, LedgerRecord]:
        """Return the ledger entries of these comments. See `Ledger.entries`."""
        return self._entries.of(ids)

    def _entries_by_id(self, ids: Iterable[CommentId], listed: set[CommentId]) -> dict[CommentId, LedgerRecord]:
        """Return entries by comment id.

        The Message-ID in the MIME header of a delivered email may differ from the listed one. The entry is then
        returned under the comment id of the listed Message-ID.
        """
        entries = dict(self._entries.of(list(ids)))
        by_header = self._items.headers_of(listed - entries.keys())
        for header, entry in self._entries.of(list(by_header)).items():
            entries[by_header[header]] = entry
        return entries

    # ---- intend, confirm ------------------------------------------------------------------------------------------

    @transaction.atomic
    def intend(self, intentions: Sequence[Intention], *, flight: float) -> Sequence[Intention]:
        """Write intentions before a push. See `Ledger.intend`."""
        self.lease.demand()
        return self._entries.intend(intentions, flight=flight)

    def require_unchanged(self, intentions: Sequence[Intention], seconds: float) -> None:
        """Require, right before a push, that the entries are unchanged. See `Ledger.require_unchanged`."""
        self._entries.require_unchanged(intentions, seconds)

    def confirm(self, result: PushResult, delivered: Mapping[CommentId, Sequence[ItemRecord]]) -> None:
        """Record the result of a push. See `Ledger.confirm`."""
        with transaction.atomic():
            has_lease = self._has_lease()
            self._entries.confirm(result)
            if has_lease:
                self._remember([item for items in delivered.values() for item in items])
        if not has_lease:
            raise LeaseLost

    @transaction.atomic
    def settle(self, settled: Sequence[ConfirmedEntry], delivered: Mapping[CommentId, Sequence[ItemRecord]]) -> None:
        """Confirm entries without a push. See `Ledger.settle`."""
        if settled:
            self.lease.demand()
            self._entries.settle(settled)
            self._remember([item for items in delivered.values() for item in items])

    @transaction.atomic
    def defer(self, entry: LedgerRecord, change: Change) -> bool:
        """Make an item the winner of an entry whose comment another sync is pushing. See `Ledger.defer`."""
        self.lease.demand()
        return self._entries.defer(entry, change)

    def _has_lease(self) -> bool:
        try:
            self.lease.demand()
        except LeaseLost:
            return False
        return True

    # ---- items ----------------------------------------------------------------------------------------------------

    @transaction.atomic
    def remember(self, items: Sequence[ItemRecord]) -> None:
        """Store items with their verdicts. See `Ledger.remember`."""
        if items:
            self.lease.demand()
            self._remember(items)

    @transaction.atomic
    def forget(self, folder: FolderId, items: Sequence[ItemId]) -> None:
        """Delete items that are no longer in this folder. See `Ledger.forget`."""
        if items:
            self.lease.demand()
            self._items.forget_in(folder, items)
            self._dead_letters.settle_in(folder, items, "gone", self.lease.clock())

    @transaction.atomic
    def adopt(self, pairs: Sequence[tuple[ItemRecord, Change]]) -> None:
        """Store the new item ids of known emails. See `Ledger.adopt`."""
        if pairs:
            self.lease.demand()
        for item, change in pairs:
            self._entries.rename_winner(item.item_id, change.item_id, item.comment_id)
            self._items.rename(item.item_id, change)
            if item.verdict == SET_ASIDE:
                self._dead_letters.rename(item.item_id, change)

    def _remember(self, items: Sequence[ItemRecord]) -> None:
        if items:
            self._items.remember(items)
            self._dead_letters.settle_decided(items, self.lease.clock())

    # ---- dead letters ---------------------------------------------------------------------------------------------

    @transaction.atomic
    def add_dead_letters(self, emails: Sequence[DeadLetterRecord]) -> int:
        """Record emails that cannot be delivered now. See `Ledger.add_dead_letters`."""
        self.lease.demand()
        now = self.lease.clock()
        reported = 0
        for email in emails:
            reported += self._dead_letters.add(email, now)
            if email.kind is not DeadLetterKind.VANISHED:
                self._remember([dead_letter_item(email.change)])
        return reported

    def due_dead_letters(self, most: int, *, apart_from: Collection[FolderId] = ()) -> Sequence[Change]:
        """Return dead letters whose retry is due. See `Ledger.due_dead_letters`."""
        return self._dead_letters.due(most, self.lease.clock(), apart_from)

    @transaction.atomic
    def begin_retry(self, item: ItemId) -> None:
        """Count a retry of a dead letter before it begins. See `Ledger.begin_retry`."""
        self.lease.demand()
        self._dead_letters.begin_retry(item, self.lease.clock())

    @transaction.atomic
    def undo_retry(self, item: ItemId) -> None:
        """Undo the count of `begin_retry`. See `Ledger.undo_retry`."""
        self.lease.demand()
        self._dead_letters.undo_retry(item)

    @transaction.atomic
    def record_vanished(self, changes: Sequence[Change]) -> None:
        """Record emails that a folder listed and that cannot be found. See `Ledger.record_vanished`."""
        # No mailbox item is stored for such an email, so it is fetched again when its folder lists it again.
        self.lease.demand()
        now = self.lease.clock()
        for change in changes:
            if not self._dead_letters.retry_vanished(change, now):
                self._dead_letters.settle([change.item_id], "gone", now)
                self._items.forget([change.item_id])

    # ---- newly wanted emails --------------------------------------------------------------------------------------

    @transaction.atomic
    def withhold(self, found: Sequence[Found]) -> None:
        """Store newly wanted emails. See `Ledger.withhold`."""
        if found:
            self.lease.demand()
            self._newly_wanted.add(found)
            self._items.remember([record.item for record in found])

    def deliverable(self, most: int, *, apart_from: Collection[FolderId] = ()) -> Sequence[AnsweredEmail]:
        """Return newly wanted emails that may be delivered now. See `Ledger.deliverable`."""
        return self._newly_wanted.deliverable(most, self._dead_letters.items(), apart_from)

    @transaction.atomic
    def begin_delivery(self, keys: Sequence[CommentId]) -> None:
        """Count an attempt at newly wanted emails before it begins. See `Ledger.begin_delivery`."""
        self.lease.demand()
        self._newly_wanted.count_attempt(keys)

    @transaction.atomic
    def undo_delivery(self, keys: Sequence[CommentId]) -> None:
        """Undo the count of `begin_delivery`. See `Ledger.undo_delivery`."""
        self.lease.demand()
        self._newly_wanted.uncount_attempt(keys)

    # ---- dirty ----------------------------------------------------------------------------------------------------

    def dirty(self, most: int, *, apart_from: Collection[FolderId] = ()) -> Sequence[Change]:
        """Return the winners of dirty entries. See `Ledger.dirty`."""
        # Dead letters have their own schedule. The delivery of a dead letter also settles its ledger entry.
        excluded = [self._dead_letters.items(), *([self._items.items_in(apart_from)] if apart_from else [])]
        items = self._entries.dirty_items(most, apart_from=excluded)
        changes = self._items.changes_of(items)
        for item in set(items) - {change.item_id for change in changes}:
            self.abandon(item)
        return changes

    @transaction.atomic
    def abandon(self, item: ItemId) -> None:
        """Replace a winner that no longer exists. See `Ledger.abandon`."""
        self.lease.demand()
        self._entries.abandon(item)

    @transaction.atomic
    def forget_foreign(self) -> None:
        """Delete items with foreign ids. See `Ledger.forget_foreign`."""
        state = MailboxState.objects.filter(pk=self.lease.mailbox_id).exclude(former_until=None)
        if not state.exists():
            return
        self.lease.demand()
        self._items.forget_foreign()
        self._dead_letters.settle_foreign("gone", self.lease.clock())
        for item in self._entries.foreign_items():
            self._entries.abandon(item)
        state.update(former_until=None)

    # ---- intentions that were never confirmed ---------------------------------------------------------------------

    def unsettled(self, most: int) -> Sequence[CommentId]:
        """Return intentions of this mailbox that were never confirmed. See `Ledger.unsettled`."""
        return self._entries.unsettled(most)

    @transaction.atomic
    def conclude(self, ids: Sequence[CommentId], stored: Stored) -> None:
        """Confirm or delete intentions. See `Ledger.conclude`."""
        self.lease.demand()
        self._entries.conclude(ids, stored)
