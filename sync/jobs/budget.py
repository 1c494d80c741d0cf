"""How many AI units a bucket may use in a calendar month, and what happens when they are used up.

Re:infer bills one for each comment that is created. The month is that of the installation's time zone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.utils import timezone

from integrations.errors import BudgetReached
from integrations.models import RUNNING
from mailboxes.models import Bucket, Mailbox
from sync.jobs.disabled_mailboxes import by_limit
from sync.models import LedgerEntry

WARN_AT = 0.8
"""Part of the limit from which on an admin is warned."""
CLOSE = 1_000
"""AI units before the limit from which on every batch is counted."""
ASK_EVERY = 10.0
"""Seconds: counting a large month takes a moment, so it is not done for every batch."""


def month_start(now: datetime) -> datetime:
    """In the zone of the server, whoever looks: what a page shows is what workers keep to."""
    return timezone.localtime(now, timezone.get_default_timezone()).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )


def used(bucket: Bucket, now: datetime) -> int:
    """AI units of this month: comments that we created, and not those that were there before us."""
    entries = LedgerEntry.objects.filter(bucket=bucket, billed=True, created_at__gte=month_start(now))
    return entries.filter(state=LedgerEntry.State.CONFIRMED).count()


def is_reached(bucket: Bucket, now: datetime) -> bool:
    return bucket.monthly_limit is not None and used(bucket, now) >= bucket.monthly_limit


def check(bucket: Bucket, now: datetime) -> None:
    """Before a sync. Raises `BudgetReached`."""
    if is_reached(bucket, now):
        raise BudgetReached(f"{bucket.monthly_limit:,} a month")


def resume(now: datetime) -> int:
    """Start again what only its budget had stopped, now that a month began or the limit was raised; how many mailboxes."""
    stopped = Mailbox.objects.filter(by_limit())
    buckets = Bucket.objects.filter(pk__in=stopped.order_by().values("bucket").distinct())
    free = [bucket.pk for bucket in buckets if not is_reached(bucket, now)]
    if not free:
        return 0
    return stopped.filter(bucket__in=free).update(**RUNNING)


class Meter:
    """Asked between two batches whether the budget is used up. `monotonic` gives seconds."""

    def __init__(self, bucket: Bucket, clock: Callable[[], datetime], monotonic: Callable[[], float]) -> None:
        self._bucket, self._clock, self._monotonic = bucket, clock, monotonic
        self._asked = float("-inf")
        self._used = 0
        self._reached = False

    def is_reached(self) -> bool:
        if self._bucket.monthly_limit is None or self._reached:
            return self._reached
        if self._monotonic() - self._asked >= ASK_EVERY or self._is_close():
            self._asked = self._monotonic()
            self._used = used(self._bucket, self._clock())
            self._reached = self._used >= self._bucket.monthly_limit
        return self._reached

    def _is_close(self) -> bool:
        return self._bucket.monthly_limit is not None and self._bucket.monthly_limit - self._used < CLOSE
