"""Whether a bucket holds what Re:infer acknowledged: its own count beside that of our ledger, about once an hour.

A count may lag behind what was just stored, and syncs go on meanwhile: so only a difference that two comparisons saw in a row
is one. The ledger is counted before Re:infer is asked for what may be missing, and after it for what may be surplus.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db.models import F, Q

from integrations.connect import open_sink
from integrations.errors import IntegrationError
from integrations.ports import Sink
from mailboxes.models import Bucket
from sync.lease import Clock, database_now
from sync.models import Comparison, LedgerEntry

log = structlog.get_logger(__name__)

EVERY = timedelta(hours=1)
AGAIN = timedelta(minutes=10)
"""When a difference was seen for the first time, or Re:infer could not be asked."""
AT_ONCE = 20
"""Buckets a minute: hundreds are spread over the hour."""

Open = Callable[..., Sink]


def send_due(send: Callable[[int], object], clock: Clock = database_now) -> int:
    """Queue the comparison of buckets that are in use, answer, and were not compared for an hour; how many."""
    now = clock()
    in_use = Bucket.objects.filter(mailboxes__enabled=True, mailboxes__integration__enabled=True).distinct()
    for bucket in in_use.filter(comparison=None)[:AT_ONCE]:
        Comparison.objects.get_or_create(bucket=bucket, defaults={"next_at": now})
    answering = in_use.filter(held_until=None, destination__held_until=None).exclude(examined_at=None)
    due = Comparison.objects.filter(next_at__lte=now, bucket__in=answering.values("pk")).order_by("next_at")
    sent = 0
    for pk in list(due.values_list("pk", flat=True)[:AT_ONCE]):
        # Whoever moves the time on may send it; if the task is lost, it comes again.
        if Comparison.objects.filter(pk=pk, next_at__lte=now).update(next_at=now + AGAIN):
            send(pk)
            sent += 1
    return sent


def compare(bucket_id: int, clock: Clock = database_now, open_sink: Open = open_sink) -> Comparison | None:
    """Ask Re:infer how many comments the bucket holds, and write down both counts. None when it could not be asked."""
    bucket = Bucket.objects.select_related("destination", "comparison").filter(pk=bucket_id).first()
    if bucket is None:
        return None
    before = _confirmed(bucket)
    try:
        with open_sink(bucket.destination, bucket.project, bucket.name) as sink:
            stored = sink.count()
    except IntegrationError as error:
        log.info("drift.not_compared", bucket=bucket.pk, kind=error.kind)
        return None
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
    def surplus(self) -> bool:
        return self.stored is not None and self.stored > self.after


def _noted(bucket: Bucket, counted: Counted, now: datetime) -> Comparison:
    # Into a bucket that was not empty at first contact, others wrote as well: what it holds beyond ours is theirs.
    surplus = counted.surplus and bucket.trusted
    row, _ = Comparison.objects.get_or_create(bucket=bucket, defaults={"next_at": now})
    first_seen = (counted.missing and row.missing_since is None) or (surplus and row.surplus_since is None)
    row.stored, row.confirmed, row.compared_at = counted.stored, counted.before, now
    row.missing_since = (row.missing_since or now) if counted.missing else None
    row.surplus_since = (row.surplus_since or now) if surplus else None
    row.next_at = now + (AGAIN if first_seen else EVERY)
    row.save()
    return row


def _confirmed(bucket: Bucket) -> int:
    return LedgerEntry.objects.filter(bucket=bucket, state=LedgerEntry.State.CONFIRMED).count()


def seen_twice() -> tuple[list[Comparison], list[Comparison]]:
    """Comparisons that miss comments, and those with too many, each seen at least twice in a row."""
    lacks = Q(missing_since__lt=F("compared_at"), stored__lt=F("confirmed"))
    exceeds = Q(surplus_since__lt=F("compared_at"))
    rows = Comparison.objects.filter(lacks | exceeds).annotate(lacks=lacks).select_related("bucket__destination")
    missing: list[Comparison] = []
    surplus: list[Comparison] = []
    for row in rows:
        (missing if row.lacks else surplus).append(row)
    return missing, surplus
