"""What a bucket holds and what a mailbox's copies are, in the database: the port that the engine remembers by.

Each method is one transaction that demands the lease before its first write. What is written stands in `sync.store.entries`,
`sync.store.items`, `sync.store.dead_letters` and `sync.store.newly_wanted_items`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from django.db import transaction

from conversion.identity import listed_comment_id
from integrations.dead_letter_reasons import DeadLetterKind
from integrations.messages import Change, CommentId, FolderId, ItemId
from sync.engine.foreign_ids import is_former
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
from sync.store.dead_letters import DeadLetterStore, copy_of
from sync.store.entries import Entries
from sync.store.items import MailboxItemStore
from sync.store.lease import Lease
from sync.store.newly_wanted_items import NewlyFound


class DatabaseLedger:
    """See `sync.engine.ports.Ledger`."""

    def __init__(self, lease: Lease, bucket_id: int, *, trusted: bool, transform_version: int) -> None:
        self.lease = lease
        self.trusted = trusted
        self._entries = Entries(lease, bucket_id)
        self._copies = MailboxItemStore(lease.mailbox_id)
        self._aside = DeadLetterStore(lease.mailbox_id, transform_version)
        self._newly = NewlyFound(lease.mailbox_id)

    # ---- reading --------------------------------------------------------------------------------------------------

    def known(self, folder: FolderId, changes: Sequence[Change]) -> KnownItems:
        listed = {listed for change in changes if (listed := listed_comment_id(change.message_id))}
        copies = self._copies.of_items(change.item_id for change in changes)
        twins = self._copies.twins(folder, listed)
        known = [*copies.values(), *(copy for same in twins.values() for copy in same)]
        ids = listed | {copy.comment_id for copy in known if copy.comment_id}
        until = self._former_until() if any(is_former(copy.item_id) for copy in known) else None
        nameless, waiting = self._copies.nameless(changes), self._newly.among(key_of(change) for change in changes)
        return KnownItems(copies, twins, self._found(ids, listed), nameless, until, waiting)

    def _former_until(self) -> datetime | None:
        state = MailboxState.objects.filter(pk=self.lease.mailbox_id)
        return state.values_list("former_until", flat=True).first()

    def entries(self, ids: Sequence[CommentId]) -> Mapping[CommentId, LedgerRecord]:
        return self._entries.of(ids)

    def _found(self, ids: Iterable[CommentId], listed: set[CommentId]) -> dict[CommentId, LedgerRecord]:
        """Entries by comment id; and by the Message-ID as listed, where some copy's header bears another one."""
        found = dict(self._entries.of(list(ids)))
        by_header = self._copies.headers_of(listed - found.keys())
        for header, entry in self._entries.of(list(by_header)).items():
            found[by_header[header]] = entry
        return found

    # ---- intend, confirm ------------------------------------------------------------------------------------------

    @transaction.atomic
    def intend(self, intentions: Sequence[Intention], *, flight: float) -> Sequence[Intention]:
        self.lease.demand()
        return self._entries.intend(intentions, flight=flight)

    def still_stand(self, intentions: Sequence[Intention], seconds: float) -> None:
        self._entries.still_stand(intentions, seconds)

    def confirm(self, result: PushResult, delivered: Mapping[CommentId, Sequence[ItemRecord]]) -> None:
        with transaction.atomic():
            mine = self._is_mine()
            self._entries.confirm(result)
            if mine:
                self._remember([copy for copies in delivered.values() for copy in copies])
        if not mine:
            raise LeaseLost

    @transaction.atomic
    def settle(self, settled: Sequence[ConfirmedEntry], delivered: Mapping[CommentId, Sequence[ItemRecord]]) -> None:
        if settled:
            self.lease.demand()
            self._entries.settle(settled)
            self._remember([copy for copies in delivered.values() for copy in copies])

    @transaction.atomic
    def defer(self, entry: LedgerRecord, change: Change) -> bool:
        self.lease.demand()
        return self._entries.defer(entry, change)

    def _is_mine(self) -> bool:
        try:
            self.lease.demand()
        except LeaseLost:
            return False
        return True

    # ---- copies ---------------------------------------------------------------------------------------------------

    @transaction.atomic
    def remember(self, copies: Sequence[ItemRecord]) -> None:
        if copies:
            self.lease.demand()
            self._remember(copies)

    @transaction.atomic
    def forget(self, folder: FolderId, items: Sequence[ItemId]) -> None:
        if items:
            self.lease.demand()
            self._copies.forget_in(folder, items)
            self._aside.settle_in(folder, items, "gone", self.lease.clock())

    @transaction.atomic
    def adopt(self, pairs: Sequence[tuple[ItemRecord, Change]]) -> None:
        if pairs:
            self.lease.demand()
        for copy, change in pairs:
            self._entries.win_under(copy.item_id, change.item_id, copy.comment_id)
            self._copies.rename(copy.item_id, change)
            if copy.verdict == SET_ASIDE:
                self._aside.rename(copy.item_id, change)

    def _remember(self, copies: Sequence[ItemRecord]) -> None:
        if copies:
            self._copies.remember(copies)
            self._aside.settle_by(copies, self.lease.clock())

    # ---- set aside ------------------------------------------------------------------------------------------------

    @transaction.atomic
    def set_aside(self, emails: Sequence[DeadLetterRecord]) -> int:
        self.lease.demand()
        now = self.lease.clock()
        told = 0
        for email in emails:
            told += self._aside.add(email, now)
            if email.kind is not DeadLetterKind.VANISHED:
                self._remember([copy_of(email.change)])
        return told

    def due_again(self, most: int, *, apart_from: Collection[FolderId] = ()) -> Sequence[Change]:
        return self._aside.due(most, self.lease.clock(), apart_from)

    @transaction.atomic
    def trying(self, item: ItemId) -> None:
        self.lease.demand()
        self._aside.begin(item, self.lease.clock())

    @transaction.atomic
    def not_tried(self, item: ItemId) -> None:
        self.lease.demand()
        self._aside.take_back(item)

    @transaction.atomic
    def vanished(self, changes: Sequence[Change]) -> None:
        # What is looked for again is no copy: whenever it is listed again, it is fetched again.
        self.lease.demand()
        now = self.lease.clock()
        for change in changes:
            if not self._aside.look_again(change, now):
                self._aside.settle([change.item_id], "gone", now)
                self._copies.forget([change.item_id])

    # ---- what newer rules want ------------------------------------------------------------------------------------

    @transaction.atomic
    def withhold(self, found: Sequence[Found]) -> None:
        if found:
            self.lease.demand()
            self._newly.add(found)
            self._copies.remember([it.copy for it in found])

    def brought(self, most: int, *, apart_from: Collection[FolderId] = ()) -> Sequence[AnsweredEmail]:
        return self._newly.brought(most, self._aside.items(), apart_from)

    @transaction.atomic
    def bringing(self, keys: Sequence[CommentId]) -> None:
        self.lease.demand()
        self._newly.begin(keys)

    @transaction.atomic
    def not_brought(self, keys: Sequence[CommentId]) -> None:
        self.lease.demand()
        self._newly.take_back(keys)

    # ---- dirty ----------------------------------------------------------------------------------------------------

    def dirty(self, most: int, *, apart_from: Collection[FolderId] = ()) -> Sequence[Change]:
        # What is set aside has its own schedule; when it is delivered, the entry is settled with it.
        without = [self._aside.items(), *([self._copies.items_in(apart_from)] if apart_from else [])]
        items = self._entries.dirty_items(most, apart_from=without)
        changes = self._copies.changes_of(items)
        for item in set(items) - {change.item_id for change in changes}:
            self.abandon(item)
        return changes

    @transaction.atomic
    def abandon(self, item: ItemId) -> None:
        self.lease.demand()
        self._entries.abandon(item)

    @transaction.atomic
    def forget_former(self) -> None:
        state = MailboxState.objects.filter(pk=self.lease.mailbox_id).exclude(former_until=None)
        if not state.exists():
            return
        self.lease.demand()
        self._copies.forget_former()
        self._aside.settle_former("gone", self.lease.clock())
        for item in self._entries.former_items():
            self._entries.abandon(item)
        state.update(former_until=None)

    # ---- intentions that nobody comes back to ---------------------------------------------------------------------

    def unsettled(self, most: int) -> Sequence[CommentId]:
        return self._entries.unsettled(most)

    @transaction.atomic
    def conclude(self, ids: Sequence[CommentId], stored: Stored) -> None:
        self.lease.demand()
        self._entries.conclude(ids, stored)
