"""Comments that were sent with an older set of properties get what they lack, slowly and for free.

An update that leaves the text alone costs no AI unit. It is sent as any other update of properties: with the content that the
bucket holds, if that is surely what we sent. For each bucket a task comes about once a minute and takes up to `BATCHES` times
`BATCH` comments; it ends at once while a mailbox that is due waits for a worker. Whatever dies in between, the next task asks
the bucket first, and what arrived is not sent again. A comment that Re:infer refuses, or over which it falls, stays as it is
and is tried again a day after all others had their turn.

An entry in hand is marked as in flight, as by a sync: a sync that meets it defers its own update, and tells it later.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.db import transaction
from django.db.models import F, Q, QuerySet

from conversion.transform import PROPERTIES
from integrations.connect import open_sink
from integrations.errors import IntegrationError
from integrations.messages import CommentId, Receipt
from integrations.ports import Sink
from mailboxes.models import Bucket
from sync.engine.property_completion import Completed, LedgerDigests, completed
from sync.engine.records import Stored
from sync.jobs import activity, bucket_audit, scheduling
from sync.models import LedgerEntry, Renewal
from sync.store.lease import Clock, database_now

log = structlog.get_logger(__name__)

EVERY = timedelta(minutes=1)
IDLE = timedelta(hours=1)
"""Between two looks where nothing is left."""
NEXT_LAP = timedelta(days=1)
"""Until those are tried again that could not be updated."""
LATER = timedelta(minutes=10)
"""After a fault, where Re:infer names no time; and when a task that was sent counts as lost."""
BATCH = 100
"""Comments at most. The first one goes alone: should Re:infer take such an update for a changed text, it is one, and no more
are sent."""
BATCHES = 2
"""Of a bucket in one task."""
AT_ONCE = 4
"""Buckets a minute."""
PATIENCE = timedelta(seconds=30)
"""A mailbox that has been due for so long waits for a worker."""

Open = Callable[..., Sink]


class _Ended(Exception):
    """This task must not go on: it stood still for too long, or Re:infer took an update for a changed text."""


def send_due(send: Callable[[int], object], clock: Clock = database_now) -> int:
    """Queue the buckets whose comments are next; how many. None while live mail waits."""
    now = clock()
    for bucket in bucket_audit.in_use().filter(renewal=None)[: bucket_audit.AT_ONCE]:
        Renewal.objects.get_or_create(bucket=bucket, defaults={"next_at": now})
    if scheduling.is_waited_for(now, PATIENCE):
        return 0
    due = Renewal.objects.filter(next_at__lte=now, halted_at=None, bucket__in=bucket_audit.answering().values("pk"))
    sent = 0
    for pk in list(due.order_by("next_at").values_list("pk", flat=True)[:AT_ONCE]):
        # Whoever moves the time on may send it; if the task is lost, it comes again.
        if Renewal.objects.filter(pk=pk, next_at__lte=now).update(next_at=now + LATER):
            send(pk)
            sent += 1
    return sent


def renew(bucket_id: int, clock: Clock = database_now, open_sink: Open = open_sink) -> Renewal | None:
    """A few batches of one bucket. None when it is gone, or must not go on."""
    row = Renewal.objects.select_related("bucket__destination").filter(pk=bucket_id, halted_at=None).first()
    if row is None:
        return None
    bucket, wait = row.bucket, EVERY
    try:
        with open_sink(bucket.destination, bucket.project, bucket.name) as sink:
            for _ in range(BATCHES):
                if scheduling.is_waited_for(clock(), PATIENCE):
                    break
                if not _Batch(bucket, sink, clock).run():
                    wait = NEXT_LAP
                    break
    except IntegrationError as error:
        log.info("renewal.delayed", bucket=bucket.pk, kind=error.kind)
        wait = error.retry_after or LATER
    except _Ended as why:
        log.info("renewal.ended", bucket=bucket.pk, why=str(why))
    left = incomplete(bucket).count()
    Renewal.objects.filter(pk=bucket.pk).update(left=left, next_at=clock() + (wait if left else IDLE))
    row.refresh_from_db()
    return row


def incomplete(bucket: Bucket) -> QuerySet[LedgerEntry]:
    """What may lack a property, by an index of its own."""
    return LedgerEntry.objects.filter(bucket=bucket, properties_version__lt=PROPERTIES)


@dataclass(slots=True)
class _Batch:
    bucket: Bucket
    sink: Sink
    clock: Clock

    def run(self) -> bool:
        """False at the end of a lap: then the next one begins. Raises what the sink raises, and `_Ended`."""
        progress = Renewal.objects.filter(pk=self.bucket.pk)
        row = progress.get()
        entries = list(self._free().filter(id__gt=row.cursor).order_by("id")[: min(row.most, BATCH)])
        # Moved on before any work: a comment that ends this worker does not come first again.
        progress.update(cursor=entries[-1].pk if entries else 0)
        if not entries:
            return False
        try:
            self._renew(entries)
        except IntegrationError as error:
            progress.update(**_after_failure(row, len(entries), error))
            raise
        progress.update(most=min(2 * row.most, BATCH))
        return True

    def _renew(self, entries: Sequence[LedgerEntry]) -> None:
        stored = self.sink.stored([CommentId(entry.comment_id) for entry in entries])
        found = _completed(entries, stored)
        self._settle([entry for entry in entries if found[entry.pk].send is None], found)
        self._send([entry for entry in entries if found[entry.pk].send is not None], found)

    def _free(self) -> QuerySet[LedgerEntry]:
        """What a sync sends again soon, or may be sending, it sends with all properties."""
        in_flight = Q(in_flight_until__gt=self.clock())
        return incomplete(self.bucket).filter(state=LedgerEntry.State.CONFIRMED, dirty=False).exclude(in_flight)

    @transaction.atomic
    def _settle(self, entries: Sequence[LedgerEntry], found: Mapping[int, Completed]) -> None:
        for entry in entries:
            LedgerEntry.objects.filter(pk=entry.pk, sequence=entry.sequence).update(
                properties_version=PROPERTIES,
                properties_digest=found[entry.pk].properties_digest,
                mark=None,
                in_flight_until=None,
            )
        held_back = sum(found[entry.pk].held_back for entry in entries)
        if held_back:
            Renewal.objects.filter(pk=self.bucket.pk).update(held_back=F("held_back") + held_back)

    def _send(self, entries: Sequence[LedgerEntry], found: Mapping[int, Completed]) -> None:
        mark = uuid.uuid4()
        mine = self._claim(entries, mark)
        if not mine:
            return
        comments = [comment for entry in mine if (comment := found[entry.pk].send) is not None]
        self._still_stand(mark, len(mine))
        receipt = self.sink.push(comments)
        self._confirm(mine, mark, found, receipt)
        if receipt.text_changed:
            raise _Ended("a text was changed")

    @transaction.atomic
    def _claim(self, entries: Sequence[LedgerEntry], mark: uuid.UUID) -> list[LedgerEntry]:
        """Those that nobody changed since they were read, in the order in which everybody locks them."""
        until = self.clock() + timedelta(seconds=2 * self.sink.deadline)
        return [
            entry
            for entry in sorted(entries, key=lambda entry: entry.comment_id)
            if LedgerEntry.objects.filter(pk=entry.pk, sequence=entry.sequence).update(
                mark=mark, in_flight_until=until, pushed_by=None, sequence=F("sequence") + 1
            )
        ]

    def _still_stand(self, mark: uuid.UUID, count: int) -> None:
        """A worker may stand still between any two lines: nobody else may touch these entries for as long as the push takes."""
        until = self.clock() + timedelta(seconds=self.sink.deadline)
        if LedgerEntry.objects.filter(bucket=self.bucket, mark=mark, in_flight_until__gte=until).count() != count:
            raise _Ended("it stood still")

    @transaction.atomic
    def _confirm(
        self, mine: Sequence[LedgerEntry], mark: uuid.UUID, found: Mapping[int, Completed], receipt: Receipt
    ) -> None:
        refused = {rejection.comment_id for rejection in receipt.rejections} | set(receipt.in_doubt)
        for entry in mine:
            row = LedgerEntry.objects.filter(pk=entry.pk)
            values: dict[str, object] = {"mark": None, "in_flight_until": None}
            if entry.comment_id not in refused:
                values |= {"properties_version": PROPERTIES, "properties_digest": found[entry.pk].properties_digest}
            if not row.filter(mark=mark).update(**values, sequence=F("sequence") + 1):
                # Somebody changed it while we pushed: what the bucket holds now is anybody's guess.
                row.update(dirty=True, mark=None, sequence=F("sequence") + 1)
        progress = Renewal.objects.filter(pk=self.bucket.pk)
        progress.update(renewed=F("renewed") + len(mine) - len(refused))
        if receipt.text_changed:
            progress.update(halted_at=self.clock())
            activity.add_text_changes(self.bucket, receipt.text_changed, self.clock())


def _after_failure(row: Renewal, count: int, error: IntegrationError) -> dict[str, int]:
    """`row`: as it was before this batch of `count` entries. Where one of them may be to blame, fewer are taken at once, until
    it is alone and is passed over; what does not come of a comment goes on where it stopped."""
    if not error.may_be_item:
        return {"cursor": row.cursor}
    fewer = {"most": max(1, count // 4)}
    return fewer if count == 1 else {**fewer, "cursor": row.cursor}


def _completed(entries: Sequence[LedgerEntry], stored: Stored) -> dict[int, Completed]:
    return {
        entry.pk: completed(
            stored.get(CommentId(entry.comment_id)), LedgerDigests(entry.content_digest, entry.properties_digest)
        )
        for entry in entries
    }
