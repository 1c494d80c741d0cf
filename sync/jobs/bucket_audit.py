"""The bucket audit: compare the number of comments that Re:infer counts in a bucket with the ledger.

Re:infer's count may lag behind the last pushes, and syncs continue during an audit. So comments are reported as missing
in Re:infer only when two audits in a row counted fewer comments than the ledger has confirmed entries. To detect
missing comments, the ledger is counted before the request to Re:infer; to detect surplus comments, it is counted after
the request.

A surplus is reported at once. When a bucket that was empty at first contact holds comments that are not in the ledger,
another program also writes to it, or the database was restored from a backup. In both cases the ledger no longer lists
every comment, so the bucket becomes untrusted: before a comment that is not in the ledger is pushed, it is requested from
Re:infer, so that no comment is pushed twice. Syncs continue, and the overview shows the surplus until an admin accepts
it. Because of these requests, a surplus that grows later does no harm.

A bucket is audited about once an hour. A trusted bucket is also audited before a new comment is pushed, if the last
audit is older than `BEFORE_SENDING` or the database server was restarted since. The restart matters because the audit
in a restored database may be recent, although comments were pushed after the backup.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet

from integrations.connect import open_sink
from integrations.errors import IntegrationError
from integrations.ports import Sink
from mailboxes.models import Bucket
from sync.models import Comparison, LedgerEntry
from sync.store.lease import Clock, database_now

log = structlog.get_logger(__name__)

EVERY = timedelta(hours=1)
"""Time between two audits of a bucket."""
RETRY_AFTER = timedelta(minutes=10)
"""Time until the next audit when missing comments were found for the first time, or the request to Re:infer failed."""
BEFORE_SENDING = timedelta(minutes=15)
"""Maximum age of the last audit when a new comment is pushed to a trusted bucket."""
AT_ONCE = 20
"""Maximum number of audits queued per minute, so that the audits of hundreds of buckets are spread over the hour."""

Open = Callable[..., Sink]


def send_due(send: Callable[[int], object], clock: Clock = database_now) -> int:
    """Queue the audits that are due.

    Args:
        send: Queues the task for a bucket, by primary key.
        clock: Returns the current time in UTC.

    Returns:
        Number of queued audits.
    """
    now = clock()
    for bucket in in_use().filter(comparison=None)[:AT_ONCE]:
        Comparison.objects.get_or_create(bucket=bucket, defaults={"next_at": now})
    due = Comparison.objects.filter(next_at__lte=now, bucket__in=auditable().values("pk")).order_by("next_at")
    sent = 0
    for pk in list(due.values_list("pk", flat=True)[:AT_ONCE]):
        # The process whose update succeeds queues the task. A lost task is queued again after `RETRY_AFTER`.
        if Comparison.objects.filter(pk=pk, next_at__lte=now).update(next_at=now + RETRY_AFTER):
            send(pk)
            sent += 1
    return sent


def in_use() -> QuerySet[Bucket]:
    """Return the buckets of enabled mailboxes."""
    return Bucket.objects.filter(mailboxes__enabled=True, mailboxes__integration__enabled=True).distinct()


def auditable() -> QuerySet[Bucket]:
    """Return the buckets to audit.

    These buckets are in use, and were examined before their first push. The circuit breakers of the bucket and of its
    destination are closed.
    """
    return in_use().filter(held_until=None, destination__held_until=None).exclude(examined_at=None)


def compare(bucket_id: int, clock: Clock = database_now, open_sink: Open = open_sink) -> Comparison | None:
    """Audit one bucket: request the number of its comments from Re:infer, and store it with the count of the ledger.

    Args:
        bucket_id: Primary key of the bucket.
        clock: Returns the current time in UTC.
        open_sink: Opens the sink of a bucket.

    Returns:
        The stored audit, or None when the bucket is deleted or the request failed.
    """
    bucket = Bucket.objects.select_related("destination").filter(pk=bucket_id).first()
    if bucket is None:
        return None
    try:
        with open_sink(bucket.destination, bucket.project, bucket.name) as sink:
            return _compare(bucket, sink, clock)
    except IntegrationError as error:
        log.info("drift.not_compared", bucket=bucket.pk, kind=error.kind)
        return None


def is_trusted(bucket_id: int, sink: Sink, clock: Clock = database_now) -> bool:
    """Return whether the ledger lists every comment of a bucket. Called before a new comment is pushed.

    If the last audit is too old, or the database server was restarted since, this function audits the bucket with one
    request to Re:infer. Otherwise it only queries the database.

    Args:
        bucket_id: Primary key of the bucket.
        sink: The open sink of the bucket.
        clock: Returns the current time in UTC.

    Returns:
        True if the ledger lists every comment. False also when the audit failed, or Re:infer did not report a count.
    """
    bucket = Bucket.objects.select_related("comparison").filter(pk=bucket_id).first()
    if bucket is None or not bucket.trusted:
        return False
    if _is_fresh(getattr(bucket, "comparison", None), clock()):
        return True
    try:
        row = _compare(bucket, sink, clock)
    except IntegrationError as error:
        # If Re:infer is unavailable, the sync fails at its next request for comments and reports that error.
        log.info("drift.not_compared", bucket=bucket.pk, kind=error.kind)
        return False
    return row.stored is not None and Bucket.objects.filter(pk=bucket_id, trusted=True).exists()


def found_empty(bucket_id: int, now: datetime) -> None:
    """Record that a bucket was empty before its first push. This record counts as an audit.

    Args:
        bucket_id: Primary key of the bucket.
        now: The current time in UTC.
    """
    values = {"next_at": now, "compared_at": now, "stored": 0, "confirmed": 0, "server_run": server_run()}
    Comparison.objects.update_or_create(bucket_id=bucket_id, defaults=values)


def accept(buckets: QuerySet[Bucket]) -> int:
    """Accept the surplus of buckets, so that it is no longer reported. The buckets stay untrusted.

    Args:
        buckets: The buckets.

    Returns:
        Number of buckets that had a reported surplus.
    """
    return Comparison.objects.filter(bucket__in=buckets).exclude(surplus_since=None).update(surplus_since=None)


def server_run() -> str:
    """Return a text that changes whenever the database server starts, for example after a restore or a failover.

    Returns:
        The start time of the server, or an empty text for SQLite.
    """
    if connection.vendor != "postgresql":
        return ""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_postmaster_start_time()")
        started: datetime = cursor.fetchone()[0]
    return started.isoformat()


def _is_fresh(row: Comparison | None, now: datetime) -> bool:
    if row is None or row.compared_at is None or row.server_run != server_run():
        return False
    return now - BEFORE_SENDING < row.compared_at <= now


def _compare(bucket: Bucket, sink: Sink, clock: Clock) -> Comparison:
    before = _confirmed(bucket)
    stored = sink.count()
    after = LedgerEntry.objects.filter(bucket=bucket).count()
    return _record(bucket, Counted(before, stored, after), clock())


@dataclass(frozen=True, slots=True)
class Counted:
    """The counts of one audit.

    Attributes:
        before: Confirmed ledger entries before the request.
        stored: Comments that Re:infer counts, or None when it does not report a count.
        after: Ledger entries after the request, including comments whose push is not confirmed yet.
    """

    before: int
    stored: int | None
    after: int

    @property
    def missing(self) -> bool:
        """Whether Re:infer counts fewer comments than the ledger has confirmed entries."""
        return self.stored is not None and self.stored < self.before

    @property
    def surplus(self) -> int:
        """Number of comments that are not in the ledger."""
        return max(0, self.stored - self.after) if self.stored is not None else 0


@transaction.atomic
def _record(bucket: Bucket, counted: Counted, now: datetime) -> Comparison:
    row, _ = Comparison.objects.get_or_create(bucket=bucket, defaults={"next_at": now})
    first_seen = counted.missing and row.missing_since is None
    row.stored, row.confirmed, row.compared_at, row.server_run = counted.stored, counted.before, now, server_run()
    row.missing_since = (row.missing_since or now) if counted.missing else None
    row.next_at = now + (RETRY_AFTER if first_seen else EVERY)
    # Other programs may write to an untrusted bucket, so a surplus of an untrusted bucket is not reported.
    if counted.surplus and Bucket.objects.filter(pk=bucket.pk, trusted=True).update(trusted=False):
        row.surplus, row.surplus_since = counted.surplus, now
        log.warning("drift.unknown_comments", bucket=bucket.pk, comments=counted.surplus)
    row.save()
    return row


def _confirmed(bucket: Bucket) -> int:
    return LedgerEntry.objects.filter(bucket=bucket, state=LedgerEntry.State.CONFIRMED).count()


def differences() -> tuple[list[Comparison], list[Comparison]]:
    """Return the audits whose result requires action by an admin.

    Returns:
        The audits with missing comments, found twice in a row, and the audits with a surplus that no admin accepted.
    """
    missing = Q(missing_since__lt=F("compared_at"), stored__lt=F("confirmed"))
    surplus = Q(surplus_since__isnull=False)
    rows = Comparison.objects.filter(missing | surplus).annotate(missing=missing).select_related("bucket__destination")
    return [row for row in rows if row.missing], [row for row in rows if row.surplus_since is not None]
