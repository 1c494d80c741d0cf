"""The AI unit budget of a bucket per calendar month.

Re:infer bills one AI unit for each created comment, and for each changed text. This module counts only created
comments, because this product avoids updates that change a text. The month is in the time zone of the installation
(`TIME_ZONE`).
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
"""Share of the limit from which an admin is warned."""
CLOSE = 1_000
"""If fewer AI units than this are left, the used units are counted after every batch."""
COUNT_EVERY = 10.0
"""If at least `CLOSE` AI units are left: the minimum time between two counts, in seconds. Counting a large month is
slow."""


def month_start(now: datetime) -> datetime:
    """Return the start of a calendar month in the time zone of the installation.

    The time zone of the browser is not used, so that a page shows the month that the workers use.

    Args:
        now: A time in that month.

    Returns:
        Midnight of the first day.
    """
    return timezone.localtime(now, timezone.get_default_timezone()).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )


def used(bucket: Bucket, now: datetime) -> int:
    """Return the number of AI units that a bucket used this month.

    Comments that this product did not create are not counted.

    Args:
        bucket: The bucket.
        now: The current time.

    Returns:
        Number of comments that this product created and Re:infer acknowledged.
    """
    entries = LedgerEntry.objects.filter(bucket=bucket, billed=True, created_at__gte=month_start(now))
    return entries.filter(state=LedgerEntry.State.CONFIRMED).count()


def is_reached(bucket: Bucket, now: datetime) -> bool:
    """Return whether the monthly limit of a bucket is reached.

    Args:
        bucket: The bucket.
        now: The current time.

    Returns:
        False when the bucket has no limit.
    """
    return bucket.monthly_limit is not None and used(bucket, now) >= bucket.monthly_limit


def check(bucket: Bucket, now: datetime) -> None:
    """Check the budget of a bucket before a sync.

    Args:
        bucket: The bucket.
        now: The current time.

    Raises:
        BudgetReached: The monthly limit is reached.
    """
    if is_reached(bucket, now):
        raise BudgetReached(f"{bucket.monthly_limit:,} a month")


def resume(now: datetime) -> int:
    """Enable the mailboxes that the budget disabled, if a new month began, or the limit was raised or removed.

    Args:
        now: The current time.

    Returns:
        Number of enabled mailboxes.
    """
    stopped = Mailbox.objects.filter(by_limit())
    buckets = Bucket.objects.filter(pk__in=stopped.order_by().values("bucket").distinct())
    free = [bucket.pk for bucket in buckets if not is_reached(bucket, now)]
    if not free:
        return 0
    return stopped.filter(bucket__in=free).update(**RUNNING)


class Meter:
    """Checks between two batches whether the budget is used up.

    Args:
        bucket: The bucket.
        clock: Returns the current time in UTC.
        monotonic: A monotonic clock in seconds.
    """

    def __init__(self, bucket: Bucket, clock: Callable[[], datetime], monotonic: Callable[[], float]) -> None:
        self._bucket, self._clock, self._monotonic = bucket, clock, monotonic
        self._counted_at = float("-inf")
        self._used = 0
        self._reached = False

    def is_reached(self) -> bool:
        """Return whether the monthly limit is reached."""
        if self._bucket.monthly_limit is None or self._reached:
            return self._reached
        if self._monotonic() - self._counted_at >= COUNT_EVERY or self._is_close():
            self._counted_at = self._monotonic()
            self._used = used(self._bucket, self._clock())
            self._reached = self._used >= self._bucket.monthly_limit
        return self._reached

    def _is_close(self) -> bool:
        return self._bucket.monthly_limit is not None and self._bucket.monthly_limit - self._used < CLOSE
