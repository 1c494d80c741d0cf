"""Property renewal: add missing properties to comments that an older version pushed without them.

An update that does not change the text costs no AI unit. So an update repeats the content that the bucket stores, and
is pushed only if this product pushed that content. One task per bucket and minute renews up to `BATCHES` times `BATCH`
comments. Before each batch, the task ends if a due mailbox has waited for a worker for more than `PATIENCE`. Each batch
first requests its comments from the bucket, so an update that reached Re:infer is not pushed twice after a task was
killed. If Re:infer refuses a comment or fails to process it, the comment is not changed, and the renewal is retried one
day after all other comments were processed.

While an update is pushed, its ledger entry is marked as in flight, in the same way as during a sync. A sync that needs
the same entry defers its own update.
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
"""Time between two tasks of a bucket."""
IDLE = timedelta(hours=1)
"""Time until the next check of a bucket whose comments are complete."""
NEXT_LAP = timedelta(days=1)
"""Time until the comments that could not be updated are retried."""
LATER = timedelta(minutes=10)
"""Time until the next task after an error without a retry time. A queued task counts as lost after the same time."""
BATCH = 100
"""Maximum number of comments in one batch. The first batch of a bucket has one comment: if Re:infer counts its update
as a changed text, only this update is billed, and no more are pushed."""
BATCHES = 2
"""Maximum number of batches in one task."""
AT_ONCE = 4
"""Maximum number of buckets for which a task is queued per minute."""
PATIENCE = timedelta(seconds=30)
"""Renewal pauses while a mailbox has been due for longer than this."""

Open = Callable[..., Sink]


class _Aborted(Exception):
    """The task must end: it was suspended for too long, or Re:infer counted an update as a changed text."""


def send_due(send: Callable[[int], object], clock: Clock = database_now) -> int:
    """Queue the renewals that are due, unless a due mailbox has waited for a worker for more than `PATIENCE`.

    Args:
        send: Queues the task for a bucket, by primary key.
        clock: Returns the current time in UTC.

    Returns:
        Number of queued tasks.
    """
    now = clock()
    for bucket in bucket_audit.in_use().filter(renewal=None)[: bucket_audit.AT_ONCE]:
        Renewal.objects.get_or_create(bucket=bucket, defaults={"next_at": now})
    if scheduling.is_waited_for(now, PATIENCE):
        return 0
    due = Renewal.objects.filter(next_at__lte=now, halted_at=None, bucket__in=bucket_audit.auditable().values("pk"))
    sent = 0
    for pk in list(due.order_by("next_at").values_list("pk", flat=True)[:AT_ONCE]):
        # The process whose update succeeds queues the task. A lost task is queued again after `LATER`.
        if Renewal.objects.filter(pk=pk, next_at__lte=now).update(next_at=now + LATER):
            send(pk)
            sent += 1
    return sent


def renew(bucket_id: int, clock: Clock = database_now, open_sink: Open = open_sink) -> Renewal | None:
    """Renew a few batches of one bucket.

    Args:
        bucket_id: Primary key of the bucket.
        clock: Returns the current time in UTC.
        open_sink: Opens the sink of a bucket.

    Returns:
        The progress, or None when the bucket is deleted or its renewal was halted.
    """
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
    except _Aborted as why:
        log.info("renewal.ended", bucket=bucket.pk, why=str(why))
    remaining = incomplete(bucket).count()
    Renewal.objects.filter(pk=bucket.pk).update(left=remaining, next_at=clock() + (wait if remaining else IDLE))
    row.refresh_from_db()
    return row


def incomplete(bucket: Bucket) -> QuerySet[LedgerEntry]:
    """Return the ledger entries whose comments may lack a property. The query uses a dedicated index.

    Args:
        bucket: The bucket.

    Returns:
        The ledger entries.
    """
    return LedgerEntry.objects.filter(bucket=bucket, properties_version__lt=PROPERTIES)


@dataclass(slots=True)
class _Batch:
    bucket: Bucket
    sink: Sink
    clock: Clock

    def run(self) -> bool:
        """Renew one batch.

        Returns:
            False when no entry is left after the cursor; the next batch then starts at the first entry.

        Raises:
            IntegrationError: A request to Re:infer failed.
            _Aborted: The task must end.
        """
        progress = Renewal.objects.filter(pk=self.bucket.pk)
        row = progress.get()
        entries = list(self._renewable().filter(id__gt=row.cursor).order_by("id")[: min(row.most, BATCH)])
        # Advance the cursor first: if a comment crashes the worker, the next task does not start with that comment.
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
        completions = _complete(entries, stored)
        self._settle([entry for entry in entries if completions[entry.pk].send is None], completions)
        self._send([entry for entry in entries if completions[entry.pk].send is not None], completions)

    def _renewable(self) -> QuerySet[LedgerEntry]:
        """Return the confirmed entries to renew.

        Entries that a sync is pushing or is going to push are omitted, because a sync pushes all properties.
        """
        in_flight = Q(in_flight_until__gt=self.clock())
        return incomplete(self.bucket).filter(state=LedgerEntry.State.CONFIRMED, dirty=False).exclude(in_flight)

    @transaction.atomic
    def _settle(self, entries: Sequence[LedgerEntry], completions: Mapping[int, Completed]) -> None:
        for entry in entries:
            LedgerEntry.objects.filter(pk=entry.pk, sequence=entry.sequence).update(
                properties_version=PROPERTIES,
                properties_digest=completions[entry.pk].properties_digest,
                mark=None,
                in_flight_until=None,
            )
        held_back = sum(completions[entry.pk].held_back for entry in entries)
        if held_back:
            Renewal.objects.filter(pk=self.bucket.pk).update(held_back=F("held_back") + held_back)

    def _send(self, entries: Sequence[LedgerEntry], completions: Mapping[int, Completed]) -> None:
        mark = uuid.uuid4()
        claimed = self._claim(entries, mark)
        if not claimed:
            return
        comments = [comment for entry in claimed if (comment := completions[entry.pk].send) is not None]
        self._check_still_in_flight(mark, len(claimed))
        receipt = self.sink.push(comments)
        self._confirm(claimed, mark, completions, receipt)
        if receipt.text_changed:
            raise _Aborted("a text was changed")

    @transaction.atomic
    def _claim(self, entries: Sequence[LedgerEntry], mark: uuid.UUID) -> list[LedgerEntry]:
        """Mark as in flight the entries that did not change since they were read, and return them.

        Entries are updated in the order of their comment ids, as a sync does, to avoid deadlocks.
        """
        until = self.clock() + timedelta(seconds=2 * self.sink.deadline)
        return [
            entry
            for entry in sorted(entries, key=lambda entry: entry.comment_id)
            if LedgerEntry.objects.filter(pk=entry.pk, sequence=entry.sequence).update(
                mark=mark, in_flight_until=until, pushed_by=None, sequence=F("sequence") + 1
            )
        ]

    def _check_still_in_flight(self, mark: uuid.UUID, count: int) -> None:
        """Check that the entries stay in flight for as long as the push can take.

        The process may have been suspended since it marked the entries.

        Raises:
            _Aborted: At least one of the entries may not stay in flight until the end of the push.
        """
        until = self.clock() + timedelta(seconds=self.sink.deadline)
        if LedgerEntry.objects.filter(bucket=self.bucket, mark=mark, in_flight_until__gte=until).count() != count:
            raise _Aborted("the process was suspended")

    @transaction.atomic
    def _confirm(
        self, claimed: Sequence[LedgerEntry], mark: uuid.UUID, completions: Mapping[int, Completed], receipt: Receipt
    ) -> None:
        refused = {rejection.comment_id for rejection in receipt.rejections} | set(receipt.in_doubt)
        for entry in claimed:
            row = LedgerEntry.objects.filter(pk=entry.pk)
            values: dict[str, object] = {"mark": None, "in_flight_until": None}
            if entry.comment_id not in refused:
                values |= {
                    "properties_version": PROPERTIES,
                    "properties_digest": completions[entry.pk].properties_digest,
                }
            if not row.filter(mark=mark).update(**values, sequence=F("sequence") + 1):
                # A sync changed the entry during the push, so it is unknown which properties the bucket has.
                row.update(dirty=True, mark=None, sequence=F("sequence") + 1)
        progress = Renewal.objects.filter(pk=self.bucket.pk)
        progress.update(renewed=F("renewed") + len(claimed) - len(refused))
        if receipt.text_changed:
            progress.update(halted_at=self.clock())
            activity.add_text_changes(self.bucket, receipt.text_changed, self.clock())


def _after_failure(row: Renewal, count: int, error: IntegrationError) -> dict[str, int]:
    """Return the progress to store after a failed batch of `count` entries, given the progress before the batch.

    If an entry may be at fault, the next batches are smaller, until that entry is alone and is skipped. After any other
    error, the same entries are retried.
    """
    if not error.may_be_item:
        return {"cursor": row.cursor}
    smaller = {"most": max(1, count // 4)}
    return smaller if count == 1 else {**smaller, "cursor": row.cursor}


def _complete(entries: Sequence[LedgerEntry], stored: Stored) -> dict[int, Completed]:
    return {
        entry.pk: completed(
            stored.get(CommentId(entry.comment_id)), LedgerDigests(entry.content_digest, entry.properties_digest)
        )
        for entry in entries
    }
