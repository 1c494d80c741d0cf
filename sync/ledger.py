"""What a bucket holds and what a mailbox's copies are, in the database.

Entries change by compare-and-swap: every change raises the sequence, and a push is confirmed only while the mark of its
intention still stands. So two workers with copies of one email never both create it, and one that comes too late
learns it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet

from integrations.errors import Contended
from integrations.messages import Change, ChangeKind, CommentId, FolderId, ItemId
from sync.former import FORMER
from sync.gate import Known
from sync.identity import listed_comment_id
from sync.lease import Lease
from sync.models import VANISHED, Copy, LedgerEntry, MailboxState, SetAsideEmail, SyncedFolder
from sync.ports import LeaseLost
from sync.reconcile import content_digest, properties_digest
from sync.records import (
    DELIVERED,
    SET_ASIDE,
    CopyRecord,
    Entry,
    Intention,
    PushResult,
    SetAside,
    Settled,
    Stored,
)

RETRY_AFTER = (timedelta(hours=1), timedelta(hours=4), timedelta(days=1), timedelta(days=3), timedelta(days=7))
"""How long a set-aside email waits for its next try; the last one for ever after."""


LOOKS = 3
"""How often an email is looked for that was listed and is not there: most were moved or deleted, and the next page tells."""


class DatabaseLedger:
    """See `sync.ports.Ledger`."""

    def __init__(self, lease: Lease, bucket_id: int, *, trusted: bool, transform_version: int) -> None:
        self.lease = lease
        self.mailbox_id = lease.mailbox_id
        self.bucket_id = bucket_id
        self.trusted = trusted
        self.transform_version = transform_version

    # ---- reading --------------------------------------------------------------------------------------------------

    def known(self, folder: FolderId, changes: Sequence[Change]) -> Known:
        items = [change.item_id for change in changes]
        listed = {listed for change in changes if (listed := listed_comment_id(change.message_id))}
        ours = Copy.objects.filter(mailbox_id=self.mailbox_id).select_related("folder")
        copies = {ItemId(row.item_id): _copy(row) for row in ours.filter(item_id__in=items)}
        twins: dict[CommentId, list[CopyRecord]] = {}
        adoptable = Q(verdict=DELIVERED) | Q(item_id__startswith=FORMER)
        for row in ours.filter(adoptable, folder__folder_id=folder, listed_id__in=listed):
            twins.setdefault(CommentId(row.listed_id), []).append(_copy(row))
        known = [*copies.values(), *(copy for same in twins.values() for copy in same)]
        ids = listed | {copy.comment_id for copy in known if copy.comment_id}
        until = MailboxState.objects.filter(pk=self.mailbox_id).values_list("former_until", flat=True).first()
        return Known(copies, twins, self._found(ids, listed), self._nameless(changes), until)

    def _nameless(self, changes: Sequence[Change]) -> frozenset[tuple[datetime | None, int]]:
        received = [change.received for change in changes if not change.message_id and change.received]
        if not received:
            return frozenset()
        rows = Copy.objects.filter(mailbox_id=self.mailbox_id, verdict=DELIVERED, listed_id="", received__in=received)
        return frozenset(rows.values_list("received", "size"))

    def entries(self, ids: Sequence[CommentId]) -> Mapping[CommentId, Entry]:
        now = self.lease.clock()
        rows = LedgerEntry.objects.filter(bucket_id=self.bucket_id, comment_id__in=ids)
        return {CommentId(row.comment_id): self._entry(row, now) for row in rows}

    def _found(self, ids: Iterable[CommentId], listed: set[CommentId]) -> dict[CommentId, Entry]:
        """Entries by comment id; and by the Message-ID as listed, where some copy's header bears another one."""
        found = dict(self.entries(list(ids)))
        unknown = listed - found.keys()
        other = Copy.objects.filter(mailbox_id=self.mailbox_id, listed_id__in=unknown, verdict=DELIVERED).values_list(
            "listed_id", "comment_id"
        )
        by_header = {CommentId(header): CommentId(as_listed) for as_listed, header in other}
        for header, entry in self.entries(list(by_header)).items():
            found[by_header[header]] = entry
        return found

    def _entry(self, row: LedgerEntry, now: datetime) -> Entry:
        in_flight = row.in_flight_until is not None and row.in_flight_until > now
        return Entry(
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

    @transaction.atomic
    def intend(self, intentions: Sequence[Intention], *, flight: float) -> Sequence[Intention]:
        self.lease.demand()
        mark = uuid.uuid4()
        until = self.lease.clock() + timedelta(seconds=flight)
        rows = {intention.comment.id: self._intended(intention, mark, until) for intention in intentions}
        LedgerEntry.objects.bulk_create(
            [rows[intention.comment.id] for intention in intentions if intention.seen is None], ignore_conflicts=True
        )
        for intention in intentions:
            if intention.seen is not None:
                self._rewrite(intention.seen, rows[intention.comment.id])
        written = set(self._marked(rows, mark).values_list("comment_id", flat=True))
        return [_marked(intention, mark) for intention in intentions if intention.comment.id in written]

    def still_stand(self, intentions: Sequence[Intention], seconds: float) -> None:
        until = self.lease.clock() + timedelta(seconds=seconds)
        standing = LedgerEntry.objects.filter(
            bucket_id=self.bucket_id,
            comment_id__in=[intention.comment.id for intention in intentions],
            mark__in={intention.mark for intention in intentions},
            in_flight_until__gte=until,
        )
        if standing.count() != len(intentions):
            raise Contended

    def confirm(self, result: PushResult, delivered: Mapping[CommentId, Sequence[CopyRecord]]) -> None:
        with transaction.atomic():
            mine = self._is_mine()
            for intention, _ in result.refused:
                self._undo(intention)
            self._confirm(result.accepted)
            if mine:
                self._remember([copy for copies in delivered.values() for copy in copies])
        if not mine:
            raise LeaseLost

    @transaction.atomic
    def settle(self, settled: Sequence[Settled], delivered: Mapping[CommentId, Sequence[CopyRecord]]) -> None:
        if not settled:
            return
        self.lease.demand()
        for item in settled:
            self._settle(item)
        self._remember([copy for copies in delivered.values() for copy in copies])

    @transaction.atomic
    def defer(self, entry: Entry, change: Change) -> bool:
        self.lease.demand()
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
            # Another sync changed the entry while we pushed: what the bucket holds now is anybody's guess.
            rows.exclude(mark=mark).update(dirty=True, **({"billed": True} if billed else {}))
            flags = {"collision": True} if collision else {}
            rows.filter(mark=mark).update(
                state=LedgerEntry.State.CONFIRMED, billed=billed, dirty=False, in_flight_until=None, **flags
            )

    def _undo(self, intention: Intention) -> None:
        """The bucket refused it: the entry is as it was before, or was never there."""
        row = LedgerEntry.objects.filter(bucket_id=self.bucket_id, comment_id=intention.comment.id, mark=intention.mark)
        seen = intention.seen
        if seen is None or (intention.creates and not seen.confirmed):
            row.delete()
            return
        row.update(
            state=LedgerEntry.State.CONFIRMED if seen.confirmed else LedgerEntry.State.INTENDED,
            content_digest=seen.content_digest,
            properties_digest=seen.properties_digest,
            sequence=F("sequence") + 1,
            in_flight_until=None,
            dirty=seen.dirty,
            mark=None,
        )

    def _settle(self, item: Settled) -> None:
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
        if item.collision:
            values["collision"] = True
        if item.seen is None:
            row = LedgerEntry(bucket_id=self.bucket_id, comment_id=item.comment_id, **values)
            LedgerEntry.objects.bulk_create([row], ignore_conflicts=True)
            return
        # Where somebody changed it meanwhile, that one knows better; our copy is remembered all the same.
        self._seen(item.seen).update(sequence=F("sequence") + 1, **values)

    def _intended(self, intention: Intention, mark: uuid.UUID, until: datetime) -> LedgerEntry:
        return LedgerEntry(
            bucket_id=self.bucket_id,
            comment_id=intention.comment.id,
            state=LedgerEntry.State.INTENDED,
            content_digest=intention.content_digest,
            properties_digest=intention.properties_digest,
            identity_digest=intention.identity_digest,
            winner_mailbox_id=self.mailbox_id,
            winner_item=intention.change.item_id,
            pushed_by_id=self.mailbox_id,
            in_flight_until=until,
            mark=mark,
        )

    def _rewrite(self, seen: Entry, row: LedgerEntry) -> None:
        self._seen(seen).update(
            state=row.state,
            content_digest=row.content_digest,
            properties_digest=row.properties_digest,
            identity_digest=row.identity_digest,
            winner_mailbox_id=row.winner_mailbox_id,
            winner_item=row.winner_item,
            pushed_by_id=row.pushed_by_id,
            in_flight_until=row.in_flight_until,
            mark=row.mark,
            sequence=F("sequence") + 1,
        )

    def _seen(self, entry: Entry) -> QuerySet[LedgerEntry]:
        return LedgerEntry.objects.filter(
            bucket_id=self.bucket_id, comment_id=entry.comment_id, sequence=entry.sequence
        )

    def _marked(self, rows: Iterable[CommentId], mark: uuid.UUID) -> QuerySet[LedgerEntry]:
        return LedgerEntry.objects.filter(bucket_id=self.bucket_id, comment_id__in=list(rows), mark=mark)

    def _is_mine(self) -> bool:
        try:
            self.lease.demand()
        except LeaseLost:
            return False
        return True

    # ---- copies ---------------------------------------------------------------------------------------------------

    @transaction.atomic
    def remember(self, copies: Sequence[CopyRecord]) -> None:
        if copies:
            self.lease.demand()
            self._remember(copies)

    @transaction.atomic
    def forget(self, folder: FolderId, items: Sequence[ItemId]) -> None:
        if not items:
            return
        self.lease.demand()
        # Where items keep their ids, a move can be told by its new folder first.
        Copy.objects.filter(mailbox_id=self.mailbox_id, folder__folder_id=folder, item_id__in=items).delete()
        aside = SetAsideEmail.objects.filter(mailbox_id=self.mailbox_id, item_id__in=items, settled="")
        here = aside.filter(folder__folder_id=folder).values_list("item_id", flat=True)
        self._settle_set_aside([ItemId(item) for item in here], "gone")

    def adopt(self, pairs: Sequence[tuple[CopyRecord, Change]]) -> None:
        with transaction.atomic():
            for copy, change in pairs:
                self.lease.demand()
                LedgerEntry.objects.filter(
                    bucket_id=self.bucket_id,
                    comment_id=copy.comment_id,
                    winner_mailbox_id=self.mailbox_id,
                    winner_item=copy.item_id,
                ).update(winner_item=change.item_id, sequence=F("sequence") + 1, mark=None)
                again = {"item_id": change.item_id, "change_key": change.change_key}
                Copy.objects.filter(mailbox_id=self.mailbox_id, item_id=copy.item_id).update(**again)
                if copy.verdict == SET_ASIDE:
                    SetAsideEmail.objects.filter(mailbox_id=self.mailbox_id, item_id=copy.item_id).update(**again)

    def _remember(self, copies: Sequence[CopyRecord]) -> None:
        if not copies:
            return
        folders = dict(
            SyncedFolder.objects.filter(
                mailbox_id=self.mailbox_id, folder_id__in={copy.folder_id for copy in copies}
            ).values_list("folder_id", "pk")
        )
        rows = {copy.item_id: self._row(copy, folders[copy.folder_id]) for copy in copies}
        Copy.objects.bulk_create(
            rows.values(),
            update_conflicts=True,
            unique_fields=["mailbox", "item_id"],
            update_fields=[
                "folder", "change_key", "listed_id", "comment_id", "received", "size", "verdict", "judged_by"
            ],
        )  # fmt: skip
        self._settle_set_aside([copy.item_id for copy in copies if copy.verdict == DELIVERED], "delivered")
        self._settle_set_aside(
            [copy.item_id for copy in copies if copy.verdict not in (DELIVERED, SET_ASIDE)], "unwanted"
        )
        self._move_synced_until(copies, folders)

    def _row(self, copy: CopyRecord, folder: int) -> Copy:
        return Copy(
            mailbox_id=self.mailbox_id,
            folder_id=folder,
            item_id=copy.item_id,
            change_key=copy.change_key,
            listed_id=copy.listed_id or "",
            comment_id=copy.comment_id or "",
            received=copy.received,
            size=copy.size,
            verdict=copy.verdict,
            judged_by=copy.judged_by,
        )

    def _move_synced_until(self, copies: Sequence[CopyRecord], folders: Mapping[str, int]) -> None:
        newest: dict[int, datetime] = {}
        for copy in copies:
            if copy.verdict == DELIVERED and copy.received is not None:
                folder = folders[copy.folder_id]
                newest[folder] = max(newest.get(folder, copy.received), copy.received)
        for folder, received in newest.items():
            SyncedFolder.objects.filter(Q(synced_until=None) | Q(synced_until__lt=received), pk=folder).update(
                synced_until=received
            )

    # ---- set aside ------------------------------------------------------------------------------------------------

    @transaction.atomic
    def set_aside(self, emails: Sequence[SetAside]) -> None:
        self.lease.demand()
        now = self.lease.clock()
        for email in emails:
            self._set_aside_one(email, now)

    def due_again(self, most: int) -> Sequence[Change]:
        now = self.lease.clock()
        due = SetAsideEmail.objects.filter(mailbox_id=self.mailbox_id, settled="").filter(
            Q(retry_at__lte=now) | Q(transform_version__lt=self.transform_version, stage__in=["transform", "push"])
        )
        due = due.exclude(item_id__startswith=FORMER)
        return [_change(row) for row in due.select_related("folder").order_by("retry_at")[:most]]

    @transaction.atomic
    def vanished(self, changes: Sequence[Change]) -> None:
        self.lease.demand()
        now = self.lease.clock()
        for change in changes:
            row = SetAsideEmail.objects.filter(mailbox_id=self.mailbox_id, item_id=change.item_id, settled="").first()
            if row is not None and row.stage == VANISHED and row.attempts >= LOOKS:
                self._settle_set_aside([change.item_id], "gone")
                Copy.objects.filter(mailbox_id=self.mailbox_id, item_id=change.item_id).delete()
                continue
            if row is not None and row.stage != VANISHED:
                SetAsideEmail.objects.filter(pk=row.pk).update(attempts=0)
            self._set_aside_one(SetAside(change, VANISHED, "It was listed, and is not there."), now)

    def _set_aside_one(self, email: SetAside, now: datetime) -> None:
        change = email.change
        folder = SyncedFolder.objects.get(mailbox_id=self.mailbox_id, folder_id=change.folder_id)
        row, created = SetAsideEmail.objects.get_or_create(
            mailbox_id=self.mailbox_id,
            item_id=change.item_id,
            defaults={"folder": folder, "last_at": now, "stage": email.stage, "reason": email.reason[:512]},
        )
        again = not created and not row.settled
        row.attempts = row.attempts + 1 if again else 1
        row.folder, row.last_at, row.stage, row.reason = folder, now, email.stage, email.reason[:512]
        row.change_key, row.listed_id = change.change_key, listed_comment_id(change.message_id) or ""
        row.received, row.size, row.item_class = change.received, change.size, change.item_class[:128]
        row.retry_at = now + RETRY_AFTER[min(row.attempts, len(RETRY_AFTER)) - 1]
        row.transform_version = self.transform_version
        row.settled, row.settled_at = "", None
        row.save()
        if email.stage == VANISHED:
            return  # not a copy: whenever it is listed again, it is fetched again
        self._remember(
            [
                CopyRecord(
                    item_id=change.item_id,
                    change_key=change.change_key,
                    folder_id=change.folder_id,
                    listed_id=listed_comment_id(change.message_id),
                    comment_id=None,
                    received=change.received,
                    size=change.size,
                    verdict=SET_ASIDE,
                )
            ]
        )

    def _settle_set_aside(self, items: Iterable[ItemId], how: str) -> None:
        SetAsideEmail.objects.filter(mailbox_id=self.mailbox_id, item_id__in=list(items), settled="").update(
            settled=how, settled_at=self.lease.clock(), retry_at=None
        )

    # ---- dirty ----------------------------------------------------------------------------------------------------

    def dirty(self, most: int) -> Sequence[Change]:
        now = self.lease.clock()
        aside = SetAsideEmail.objects.filter(mailbox_id=self.mailbox_id, settled="").values("item_id")
        rows = (
            LedgerEntry.objects.filter(bucket_id=self.bucket_id, winner_mailbox_id=self.mailbox_id, dirty=True)
            .exclude(Q(in_flight_until__gt=now) & ~Q(pushed_by_id=self.mailbox_id))
            # What is set aside has its own schedule; when it is delivered, the entry is settled with it.
            .exclude(winner_item__in=aside)
            .exclude(winner_item__startswith=FORMER)
        )
        items = list(rows.order_by("updated_at").values_list("winner_item", flat=True)[:most])
        copies = Copy.objects.filter(mailbox_id=self.mailbox_id, item_id__in=items).select_related("folder")
        changes = [_change(copy) for copy in copies]
        for item in set(items) - {change.item_id for change in changes}:
            self.abandon(ItemId(item))
        return changes

    @transaction.atomic
    def abandon(self, item: ItemId) -> None:
        self.lease.demand()
        entries = LedgerEntry.objects.filter(
            bucket_id=self.bucket_id, winner_mailbox_id=self.mailbox_id, winner_item=item, dirty=True
        )
        for entry in entries:
            other = (
                Copy.objects.filter(comment_id=entry.comment_id, verdict=DELIVERED, mailbox__bucket_id=self.bucket_id)
                .exclude(mailbox_id=self.mailbox_id, item_id=item)
                .first()
            )
            if other is not None:
                entry.winner_mailbox_id, entry.winner_item = other.mailbox_id, other.item_id
            else:
                entry.dirty = False
            entry.sequence, entry.mark = entry.sequence + 1, None
            entry.save(update_fields=["winner_mailbox", "winner_item", "dirty", "sequence", "mark", "updated_at"])

    @transaction.atomic
    def forget_former(self) -> None:
        state = MailboxState.objects.filter(pk=self.mailbox_id).exclude(former_until=None)
        if not state.exists():
            return
        self.lease.demand()
        Copy.objects.filter(mailbox_id=self.mailbox_id, item_id__startswith=FORMER).delete()
        aside = SetAsideEmail.objects.filter(mailbox_id=self.mailbox_id, item_id__startswith=FORMER, settled="")
        self._settle_set_aside([ItemId(item) for item in aside.values_list("item_id", flat=True)], "gone")
        dirty = LedgerEntry.objects.filter(
            winner_mailbox_id=self.mailbox_id, winner_item__startswith=FORMER, dirty=True
        )
        for item in list(dirty.values_list("winner_item", flat=True)):
            self.abandon(ItemId(item))
        state.update(former_until=None)

    # ---- intentions that nobody comes back to ---------------------------------------------------------------------

    def unsettled(self, most: int) -> Sequence[CommentId]:
        rows = self._left_behind().order_by("updated_at").values_list("comment_id", flat=True)
        return [CommentId(comment_id) for comment_id in rows[:most]]

    @transaction.atomic
    def conclude(self, ids: Sequence[CommentId], stored: Stored) -> None:
        self.lease.demand()
        for row in self._left_behind().filter(comment_id__in=ids):
            same = LedgerEntry.objects.filter(pk=row.pk, sequence=row.sequence)
            comment = stored.get(CommentId(row.comment_id))
            if comment is None:
                same.delete()
                continue
            held = content_digest(comment)
            same.update(
                state=LedgerEntry.State.CONFIRMED,
                content_digest=held,
                properties_digest=properties_digest(comment),
                billed=row.billed or held == row.content_digest,
                sequence=F("sequence") + 1,
                mark=None,
                in_flight_until=None,
            )

    def _left_behind(self) -> QuerySet[LedgerEntry]:
        return LedgerEntry.objects.filter(
            Q(pushed_by_id=self.mailbox_id) | Q(pushed_by=None),
            Q(in_flight_until=None) | Q(in_flight_until__lte=self.lease.clock()),
            bucket_id=self.bucket_id,
            state=LedgerEntry.State.INTENDED,
        )


def _marked(intention: Intention, mark: uuid.UUID) -> Intention:
    return replace(intention, mark=str(mark))


def _copy(row: Copy) -> CopyRecord:
    return CopyRecord(
        item_id=ItemId(row.item_id),
        change_key=row.change_key,
        folder_id=FolderId(row.folder.folder_id),
        listed_id=CommentId(row.listed_id) if row.listed_id else None,
        comment_id=CommentId(row.comment_id) if row.comment_id else None,
        received=row.received,
        size=row.size,
        verdict=row.verdict,
        judged_by=row.judged_by,
    )


def _change(row: Copy | SetAsideEmail) -> Change:
    return Change(
        kind=ChangeKind.UPDATED,
        folder_id=FolderId(row.folder.folder_id),
        item_id=ItemId(row.item_id),
        change_key=row.change_key,
        item_class=getattr(row, "item_class", ""),
        message_id=_message_id(row.listed_id),
        received=row.received,
        size=row.size,
    )


def _message_id(listed_id: str) -> str:
    """The Message-ID that a listed id was made of; blank for the digests of over-long ones."""
    try:
        return bytes.fromhex(listed_id).decode()
    except (ValueError, UnicodeDecodeError):
        return ""
