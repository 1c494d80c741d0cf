"""Whether a bucket holds what Re:infer acknowledged: its own count beside that of our ledger.

A count may lag behind what was just stored, and syncs go on meanwhile: so only comments that two comparisons in a row found
missing are. The ledger is counted before Re:infer is asked for what may be missing, and after it for what may be surplus.

A surplus is believed at once. A bucket that was empty at first contact and holds comments that our ledger does not know has
been filled by somebody else as well, or our database came from a backup. Either way the ledger no longer knows all that the
bucket holds, so the bucket is not trusted from then on: whatever is unknown is asked for before it is sent, and nothing is sent
twice. Syncs go on meanwhile; the overview tells of it until an admin accepts it. It may grow, as each new email is asked for.

A bucket is compared about once an hour, and before anything new is sent to it where the last comparison is older than
`BEFORE_SENDING` or was made while the database server ran for another time: a restored database remembers an old comparison.
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
AGAIN = timedelta(minutes=10)
"""When a difference was seen for the first time, or Re:infer could not be asked."""
BEFORE_SENDING = timedelta(minutes=15)
"""How old a comparison may be when something new is sent."""
AT_ONCE = 20
"""Buckets a minute: hundreds are spread over the hour."""

Open = Callable[..., Sink]


def send_due(send: Callable[[int], object], clock: Clock = database_now) -> int:
    """Queue the comparison of buckets that are in use, answer, and were not compared for an hour; how many."""
    now = clock()
    for bucket in in_use().filter(comparison=None)[:AT_ONCE]:
        Comparison.objects.get_or_create(bucket=bucket, defaults={"next_at": now})
    due = Comparison.objects.filter(next_at__lte=now, bucket__in=answering().values("pk")).order_by("next_at")
    sent = 0
    for pk in list(due.values_list("pk", flat=True)[:AT_ONCE]):
        # Whoever moves the time on may send it; if the task is lost, it comes again.
        if Comparison.objects.filter(pk=pk, next_at__lte=now).update(next_at=now + AGAIN):
            send(pk)
            sent += 1
    return sent


def in_use() -> QuerySet[Bucket]:
    """Buckets of mailboxes that run."""
    return Bucket.objects.filter(mailboxes__enabled=True, mailboxes__integration__enabled=True).distinct()


def answering() -> QuerySet[Bucket]:
    """Those of them that Re:infer answered for, and that nothing holds."""
    return in_use().filter(held_until=None, destination__held_until=None).exclude(examined_at=None)


def compare(bucket_id: int, clock: Clock = database_now, open_sink: Open = open_sink) -> Comparison | None:
    """Ask Re:infer how many comments the bucket holds, and write down both counts. None when it could not be asked."""
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
    """Whether what our ledger does not know is surely not in this bucket. Asked before anything new is sent: it costs a request
    where the last comparison is old, and otherwise one query."""
    bucket = Bucket.objects.select_related("comparison").filter(pk=bucket_id).first()
    if bucket is None or not bucket.trusted:
        return False
    if _is_fresh(getattr(bucket, "comparison", None), clock()):
        return True
    try:
        row = _compare(bucket, sink, clock)
    except IntegrationError as error:
        # Where Re:infer fails altogether, asking for the comments themselves says so.
        log.info("drift.not_compared", bucket=bucket.pk, kind=error.kind)
        return False
    return row.stored is not None and Bucket.objects.filter(pk=bucket_id, trusted=True).exists()


def found_empty(bucket_id: int, now: datetime) -> None:
    """At first contact, which counts as a comparison."""
    values = {"next_at": now, "compared_at": now, "stored": 0, "confirmed": 0, "server_run": server_run()}
    Comparison.objects.update_or_create(bucket_id=bucket_id, defaults=values)


def accept(buckets: QuerySet[Bucket]) -> int:
    """The comments that we did not know are no news any more. The buckets stay untrusted; how many it was told of."""
    return Comparison.objects.filter(bucket__in=buckets).exclude(surplus_since=None).update(surplus_since=None)


def server_run() -> str:
    """What changes whenever the database server starts: also when it was restored, or a standby took its place. Blank for
    SQLite."""
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
    return _noted(bucket, Counted(before, stored, after), clock())


@dataclass(frozen=True, slots=True)
class Counted:
    """Comments acknowledged before Re:infer was asked, those that it counts, and those it may hold by now."""

    before: int
    stored: int | None
    after: int

    @property
    def missing(self) -> bool:
        return self.stored is not None and self.stored < self.before

    @property
    def surplus(self) -> int:
        return max(0, self.stored - self.after) if self.stored is not None else 0


@transaction.atomic
def _noted(bucket: Bucket, counted: Counted, now: datetime) -> Comparison:
    row, _ = Comparison.objects.get_or_create(bucket=bucket, defaults={"next_at": now})
    first_seen = counted.missing and row.missing_since is None
    row.stored, row.confirmed, row.compared_at, row.server_run = counted.stored, counted.before, now, server_run()
    row.missing_since = (row.missing_since or now) if counted.missing else None
    row.next_at = now + (AGAIN if first_seen else EVERY)
    # Into a bucket that is not trusted, others write as well: what it holds beyond ours is theirs.
    if counted.surplus and Bucket.objects.filter(pk=bucket.pk, trusted=True).update(trusted=False):
        row.surplus, row.surplus_since = counted.surplus, now
        log.warning("drift.unknown_comments", bucket=bucket.pk, comments=counted.surplus)
    row.save()
    return row


def _confirmed(bucket: Bucket) -> int:
    return LedgerEntry.objects.filter(bucket=bucket, state=LedgerEntry.State.CONFIRMED).count()


def found() -> tuple[list[Comparison], list[Comparison]]:
    """Comparisons that miss comments, as two in a row saw, and those that found comments that we did not know."""
    lacks = Q(missing_since__lt=F("compared_at"), stored__lt=F("confirmed"))
    exceeds = Q(surplus_since__isnull=False)
    rows = Comparison.objects.filter(lacks | exceeds).annotate(lacks=lacks).select_related("bucket__destination")
    return [row for row in rows if row.lacks], [row for row in rows if row.surplus_since is not None]
