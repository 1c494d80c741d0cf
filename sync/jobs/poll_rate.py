"""Measure every minute how many polls per second the poll intervals require, and how many were done.

Only mailboxes that are up to date need polls. The first listing of a mailbox is not a poll. Mailboxes that are
disabled, that fail, or whose circuit breaker is open are not counted either, because more workers would not poll them
more often. Each finished sync counts as one poll that was done.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Avg, Count, F, Max, Min

from mailboxes.models import Mailbox
from sync.jobs import connection_breakers
from sync.jobs.lateness import late_since
from sync.models import MailboxState, PollRate, SyncRun

RETENTION = timedelta(days=1)
"""How long measurements are stored."""
AVERAGED_OVER = timedelta(minutes=10)
"""Period over which the rates are averaged, so that a burst after Start is not reported as a shortage."""
LEAST_MEASUREMENTS = 5
"""Minimum number of measurements within `AVERAGED_OVER` from which a shortage is reported."""
SHORT = 0.8
"""A shortage is reported below this share of the needed polls. A poll takes time, and due mailboxes are queued only
every few seconds, so a healthy installation does slightly fewer polls than the intervals require."""
GAP = timedelta(minutes=5)
"""Age after which `latest` does not return a measurement, and `measure` does not begin its period at it."""


@dataclass(frozen=True, slots=True)
class Shortage:
    """A shortage: fewer polls were done than were needed.

    Attributes:
        needed: Needed polls per second, averaged over `AVERAGED_OVER`.
        done: Finished polls per second, averaged over `AVERAGED_OVER`.
        since: When the shortage began, in UTC.
        late: Number of mailboxes that are late now.
    """

    needed: float
    done: float
    since: datetime
    late: int


def measure(now: datetime) -> PollRate | None:
    """Measure the rates since the last measurement within `GAP`; without such a measurement, over the last minute.

    Args:
        now: The current time in UTC.

    Returns:
        The stored measurement, or None when the last measurement is less than a second old.
    """
    last = PollRate.objects.filter(at__lt=now, at__gt=now - GAP).order_by("-at").first()
    since = last.at if last is not None else now - timedelta(minutes=1)
    seconds = (now - since).total_seconds()
    if seconds < 1:
        return None
    row, _ = PollRate.objects.get_or_create(at=now, defaults={"needed": needed(), "done": _ended(since, now) / seconds})
    return row


def needed() -> float:
    """Return the polls per second that the mailboxes need.

    The pause until the next poll of a mailbox was chosen at the end of its last sync. The pause is longer than the poll
    interval if no email has arrived for a week.

    Returns:
        Polls per second.
    """
    polled = MailboxState.objects.filter(
        connection_breakers.breakers_closed("mailbox__"),
        mailbox__enabled=True,
        mailbox__integration__enabled=True,
        up_to_date=True,
        failures=0,
    )
    rows = polled.values_list("mailbox__integration__poll_interval", "synced_at", "next_sync_at")
    return sum(1 / _pause(interval, ended, due) for interval, ended, due in rows)


def _pause(interval: int | None, ended: datetime | None, due: datetime | None) -> float:
    """Return the pause of a mailbox in seconds: at least its poll interval, even if it was made due at once."""
    usual = max(interval or settings.POLL_INTERVAL.total_seconds(), settings.POLL_INTERVAL_LEAST.total_seconds())
    if ended is None or due is None:
        return usual
    return max((due - ended).total_seconds(), usual)


def _ended(since: datetime, now: datetime) -> int:
    # Also filter by the start, which has an index. No run that ended in this period started earlier.
    started_after = since - settings.SYNC_SLICE - settings.LEASE
    runs = SyncRun.objects.filter(started_at__gt=started_after, outcome=SyncRun.Outcome.DONE)
    return runs.filter(ended_at__gt=since, ended_at__lte=now).count()


def latest(now: datetime) -> PollRate | None:
    """Return the last measurement.

    Args:
        now: The current time in UTC.

    Returns:
        The measurement, or None when it is older than `GAP`.
    """
    return PollRate.objects.filter(at__gt=now - GAP, at__lte=now).order_by("-at").first()


def shortage(now: datetime) -> Shortage | None:
    """Return the current shortage of polls.

    Args:
        now: The current time in UTC.

    Returns:
        None if enough polls are done, if no mailbox is late, or if there are too few measurements.
    """
    rates = PollRate.objects.filter(at__gt=now - AVERAGED_OVER, at__lte=now).aggregate(
        needed=Avg("needed"), done=Avg("done"), minutes=Count("at")
    )
    if rates["minutes"] < LEAST_MEASUREMENTS or rates["done"] >= SHORT * rates["needed"]:
        return None
    late = Mailbox.objects.filter(
        late_since(now),
        connection_breakers.breakers_closed(),
        enabled=True,
        integration__enabled=True,
        state__up_to_date=True,
    ).count()
    return Shortage(rates["needed"], rates["done"], _short_since(now), late) if late else None


def _short_since(now: datetime) -> datetime:
    """Return the time of the first measurement after the last measurement with enough polls."""
    rates = PollRate.objects.filter(at__lte=now)
    enough = rates.filter(done__gte=SHORT * F("needed")).aggregate(at=Max("at"))["at"]
    short = rates.filter(at__gt=enough) if enough is not None else rates
    since: datetime | None = short.aggregate(at=Min("at"))["at"]
    return since or now
