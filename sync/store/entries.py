"""The ledger entries of a bucket in the database: the intended and the confirmed comments.

Entries change by compare-and-swap. Every change except a confirmation increases the sequence, and a push is confirmed
only if the entry still has the mark of its intention. So two workers that have items of one email never both create its
comment: the later worker detects the conflict. Every caller that writes has checked the lease in the same transaction.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet

from conversion.transform import PROPERTIES
from integrations.errors import Contended
from integrations.messages import Change, CommentId, ItemId
from sync.engine.foreign_ids import FOREIGN_PREFIX
from sync.engine.reconcile import content_digest, properties_digest
from sync.engine.records import ConfirmedEntry, Intention, LedgerRecord, PushResult, Stored
from sync.models import LedgerEntry
from sync.store.items import another_item
from sync.store.lease import Lease


class Entries:
    """The entries of one bucket, as used by a sync of one mailbox."""

    def __init__(self, lease: Lease, bucket_id: int) -> None:
        """Open the entries of a bucket.

        Args:
            lease: The lease of the sync.
            bucket_id: The key of the bucket.
        """
        self.lease = lease
        self.mailbox_id = lease.mailbox_id
        self.bucket_id = bucket_id

    def of(self, ids: Sequence[CommentId]) -> Mapping[CommentId, LedgerRecord]:
        """Return the entries of these comments.

        Args:
            ids: Comment ids.

        Returns:
            Entries by comment id; unknown comments are omitted.
        """
        now = self.lease.clock()
        rows = LedgerEntry.objects.filter(bucket_id=self.bucket_id, comment_id__in=ids)
        return {CommentId(row.comment_id): self._entry(row, now) for row in rows}

    def _entry(self, row: LedgerEntry, now: datetime) -> LedgerRecord:
        in_flight = row.in_flight_until is not None and row.in_flight_until > now
        return LedgerRecord(
            comment_id=CommentId(row.comment_id),
            confirmed=row.state == LedgerEntry.State.CONFIRMED,
            content_digest=row.content_digest,
            properties_digest=row.properties_digest,
            identity_digest=row.identity_digest,
            sequence=row.sequence,
            dirty=row.dirty,
            billed=row.billed,
            winner_item=ItemId(row.winner_item) if row.winner_mailbox_id == self.mailbox_id else None,
            in_flight_elsewhere=in_flight and row.pushed_by_id != self.mailbox_id,
        )

    # ---- intend, confirm ------------------------------------------------------------------------------------------

    def intend(self, intentions: Sequence[Intention], *, flight: float) -> Sequence[Intention]:
        """Write intentions: see `sync.engine.ports.Ledger.intend`.

        Args:
            intentions: The intended pushes.
            flight: Seconds after which the push has certainly ended.

        Returns:
            The intentions that were written, with their mark.
        """
        mark = uuid.uuid4()
        until = self.lease.clock() + timedelta(seconds=flight)
        rows = {intention.comment.id: self._intended(intention, mark, until) for intention in intentions}
        # All syncs lock rows in the same order, so syncs of two mailboxes with the same emails cannot deadlock.
        ordered = sorted(intentions, key=lambda intention: intention.comment.id)
        LedgerEntry.objects.bulk_create(
            [rows[intention.comment.id] for intention in ordered if intention.seen is None], ignore_conflicts=True
        )
        for intention in ordered:
            if intention.seen is not None:
                self._rewrite(intention.seen, rows[intention.comment.id])
        written = set(self._marked(rows, mark).values_list("comment_id", flat=True))
        return [_marked(intention, mark) for intention in intentions if intention.comment.id in written]

    def require_unchanged(self, intentions: Sequence[Intention], seconds: float) -> None:
        """Require that the entries are unchanged: see `sync.engine.ports.Ledger.require_unchanged`.

        Args:
            intentions: The intentions that `intend` wrote.
            seconds: The longest time that the push can take.

        Raises:
            Contended: An entry was changed, or may be changed before the push ends.
        """
        until = self.lease.clock() + timedelta(seconds=seconds)
        unchanged = LedgerEntry.objects.filter(
            bucket_id=self.bucket_id,
            comment_id__in=[intention.comment.id for intention in intentions],
            mark__in={intention.mark for intention in intentions},
            in_flight_until__gte=until,
        )
        if unchanged.count() != len(intentions):
            raise Contended

    def confirm(self, result: PushResult) -> None:
        """Record the result of a push: see `sync.engine.ports.Ledger.confirm`.

        Args:
            result: The intentions that the bucket accepted and refused.
        """
        for intention, _ in result.refused:
            self._undo(intention)
        self._confirm(result.accepted)

    def settle(self, settled: Sequence[ConfirmedEntry]) -> None:
        """Confirm entries without a push, because the bucket has their comments already.

        Args:
            settled: The entries.
        """
        for item in settled:
            self._settle(item)

    def defer(self, entry: LedgerRecord, change: Change) -> bool:
        """Make an item the winner of an entry whose comment another sync is pushing, and mark the entry dirty.

        Args:
            entry: The entry as it was read.
            change: The item.

        Returns:
            False if the entry changed since it was read.
        """
        return bool(
            self._seen(entry).update(
                winner_mailbox_id=self.mailbox_id,
                winner_item=change.item_id,
                dirty=True,
                sequence=F("sequence") + 1,
                mark=None,
            )
        )

    def _confirm(self, accepted: Sequence[Intention]) -> None:
        by_mark: dict[tuple[str, bool, bool], list[CommentId]] = {}
        for intention in accepted:
            key = (intention.mark, intention.billed, intention.collision)
            by_mark.setdefault(key, []).append(intention.comment.id)
        for (mark, billed, collision), ids in by_mark.items():
            rows = LedgerEntry.objects.filter(bucket_id=self.bucket_id, comment_id__in=ids)
            # An entry without the mark was changed during the push, for example by another sync. It is not known which
            # properties the bucket has now, so the properties have to be pushed again.
            rows.exclude(mark=mark).update(
                dirty=True, mark=None, sequence=F("sequence") + 1, **({"billed": True} if billed else {})
            )
            flags = {"collision": True} if collision else {}
            rows.filter(mark=mark).update(
                state=LedgerEntry.State.CONFIRMED, billed=billed, dirty=False, in_flight_until=None, **flags
            )

    def _undo(self, intention: Intention) -> None:
        """Restore the entry of a refused intention, or delete the entry if the bucket does not have the comment."""
        row = LedgerEntry.objects.filter(bucket_id=self.bucket_id, comment_id=intention.comment.id, mark=intention.mark)
        seen = intention.seen
        if seen is None or not (seen.confirmed or intention.is_there):
            row.delete()
            return
        row.update(
            state=LedgerEntry.State.CONFIRMED if seen.confirmed else LedgerEntry.State.INTENDED,
            content_digest=seen.content_digest,
            properties_digest=seen.properties_digest,
            properties_version=0,
            sequence=F("sequence") + 1,
            in_flight_until=None,
            dirty=seen.dirty,
            mark=None,
        )

    def _settle(self, item: ConfirmedEntry) -> None:
        values = {
            "state": LedgerEntry.State.CONFIRMED,
            "content_digest": item.content_digest,
            "properties_digest": item.properties_digest,
            "identity_digest": item.identity_digest,
            "winner_mailbox_id": self.mailbox_id,
            "winner_item": item.change.item_id,
            "billed": item.billed,
            "dirty": False,
            "mark": None,
            "in_flight_until": None,
        }
        if item.seen is None or not item.seen.confirmed:
            values["properties_version"] = 0  # the comment in the bucket has an unknown set of properties
        if item.collision:
            values["collision"] = True
        if item.seen is None:
            row = LedgerEntry(bucket_id=self.bucket_id, comment_id=item.comment_id, **values)
            LedgerEntry.objects.bulk_create([row], ignore_conflicts=True)
            return
        # If the entry changed meanwhile, it keeps the newer values. The mailbox item is stored nevertheless.
        self._seen(item.seen).update(sequence=F("sequence") + 1, **values)

    def _intended(self, intention: Intention, mark: uuid.UUID, until: datetime) -> LedgerEntry:
        return LedgerEntry(
            bucket_id=self.bucket_id,
            comment_id=intention.comment.id,
            state=LedgerEntry.State.INTENDED,
            content_digest=intention.content_digest,
            properties_digest=intention.properties_digest,
            properties_version=PROPERTIES,
            identity_digest=intention.identity_digest,
            winner_mailbox_id=self.mailbox_id,
            winner_item=intention.change.item_id,
            pushed_by_id=self.mailbox_id,
            in_flight_until=until,
            mark=mark,
        )

    def _rewrite(self, seen: LedgerRecord, row: LedgerEntry) -> None:
        self._seen(seen).update(
            state=row.state,
            content_digest=row.content_digest,
            properties_digest=row.properties_digest,
            properties_version=row.properties_version,
            identity_digest=row.identity_digest,
            winner_mailbox_id=row.winner_mailbox_id,
            winner_item=row.winner_item,
            pushed_by_id=row.pushed_by_id,
            in_flight_until=row.in_flight_until,
            mark=row.mark,
            sequence=F("sequence") + 1,
        )

    def _seen(self, entry: LedgerRecord) -> QuerySet[LedgerEntry]:
        return LedgerEntry.objects.filter(
            bucket_id=self.bucket_id, comment_id=entry.comment_id, sequence=entry.sequence
        )

    def _marked(self, rows: Iterable[CommentId], mark: uuid.UUID) -> QuerySet[LedgerEntry]:
        return LedgerEntry.objects.filter(bucket_id=self.bucket_id, comment_id__in=list(rows), mark=mark)

    # ---- the winner -----------------------------------------------------------------------------------------------

    def rename_winner(self, old_id: ItemId, new_id: ItemId, comment_id: CommentId | None) -> None:
        """Store the new item id of the winner of a comment, if the item with the old id is the winner.

        Args:
            old_id: The stored id.
            new_id: The new id.
            comment_id: The comment.
        """
        LedgerEntry.objects.filter(
            bucket_id=self.bucket_id, comment_id=comment_id, winner_mailbox_id=self.mailbox_id, winner_item=old_id
        ).update(winner_item=new_id, sequence=F("sequence") + 1, mark=None)

    def dirty_items(self, most: int, apart_from: Iterable[QuerySet[Any, Any]]) -> list[ItemId]:
        """Return winners of dirty entries, except entries whose comment a sync of another mailbox may be pushing.

        Winners with foreign ids are omitted.

        Args:
            most: Maximum number to return.
            apart_from: Queries of item ids that are not returned.

        Returns:
            Item ids, ordered by `updated_at`. `QuerySet.update` does not change that time.
        """
        now = self.lease.clock()
        rows = (
            LedgerEntry.objects.filter(bucket_id=self.bucket_id, winner_mailbox_id=self.mailbox_id, dirty=True)
            .exclude(Q(in_flight_until__gt=now) & ~Q(pushed_by_id=self.mailbox_id))
            .exclude(winner_item__startswith=FOREIGN_PREFIX)
        )
        for items in apart_from:
            rows = rows.exclude(winner_item__in=items)
        return [ItemId(item) for item in rows.order_by("updated_at").values_list("winner_item", flat=True)[:most]]

    def foreign_items(self) -> list[ItemId]:
        """Return the foreign ids of winners of dirty entries."""
        rows = LedgerEntry.objects.filter(
            bucket_id=self.bucket_id,
            winner_mailbox_id=self.mailbox_id,
            winner_item__startswith=FOREIGN_PREFIX,
            dirty=True,
        )
        return [ItemId(item) for item in rows.values_list("winner_item", flat=True)]

    def abandon(self, item: ItemId) -> None:
        """Replace a winner that no longer exists by another item of the comment.

        If there is no other item, the entry is no longer dirty. The item may still exist under a new id, for example
        during a mailbox migration. So the properties digest is cleared, which marks the properties as outdated.

        Args:
            item: The item id of the winner.
        """
        entries = LedgerEntry.objects.filter(
            bucket_id=self.bucket_id, winner_mailbox_id=self.mailbox_id, winner_item=item, dirty=True
        )
        for entry in entries:
            other = another_item(CommentId(entry.comment_id), self.bucket_id, except_for=(self.mailbox_id, item))
            if other is not None:
                entry.winner_mailbox_id, entry.winner_item = other.mailbox_id, other.item_id
            else:
                entry.dirty, entry.properties_digest, entry.properties_version = False, "", 0
            entry.sequence, entry.mark = entry.sequence + 1, None
            changed = ["winner_mailbox", "winner_item", "dirty", "properties_digest", "properties_version"]
            entry.save(update_fields=[*changed, "sequence", "mark", "updated_at"])

    # ---- intentions that were never confirmed ---------------------------------------------------------------------

    def unsettled(self, most: int) -> Sequence[CommentId]:
        """Return intentions that were never confirmed: see `sync.engine.ports.Ledger.unsettled`.

        Args:
            most: Maximum number to return.

        Returns:
            The comment ids of the intentions.
        """
        rows = self._unsettled().order_by("updated_at").values_list("comment_id", flat=True)
        return [CommentId(comment_id) for comment_id in rows[:most]]

    def conclude(self, ids: Sequence[CommentId], stored: Stored) -> None:
        """Confirm the intentions whose comments the bucket has, and delete the others.

        Args:
            ids: The comment ids that were requested from the bucket.
            stored: The comments that the bucket returned.
        """
        for row in self._unsettled().filter(comment_id__in=ids):
            same = LedgerEntry.objects.filter(pk=row.pk, sequence=row.sequence)
            comment = stored.get(CommentId(row.comment_id))
            if comment is None:
                same.delete()
                continue
            stored_digest = content_digest(comment)
            same.update(
                state=LedgerEntry.State.CONFIRMED,
                content_digest=stored_digest,
                properties_digest=properties_digest(comment),
                properties_version=0,
                billed=row.billed or stored_digest == row.content_digest,
                sequence=F("sequence") + 1,
                mark=None,
                in_flight_until=None,
            )

    def _unsettled(self) -> QuerySet[LedgerEntry]:
        """Return unconfirmed intentions of this mailbox, and of deleted mailboxes, whose push has certainly ended.

        Intentions whose entry another mailbox deferred are omitted. That mailbox pushes its own properties later, and
        creates the comment if the intended push did not arrive.
        """
        others = Q(dirty=True, winner_mailbox__isnull=False) & ~Q(winner_mailbox_id=self.mailbox_id)
        return LedgerEntry.objects.filter(
            Q(pushed_by_id=self.mailbox_id) | Q(pushed_by=None),
            Q(in_flight_until=None) | Q(in_flight_until__lte=self.lease.clock()),
            bucket_id=self.bucket_id,
            state=LedgerEntry.State.INTENDED,
        ).exclude(others)


def _marked(intention: Intention, mark: uuid.UUID) -> Intention:
    return replace(intention, mark=str(mark))
