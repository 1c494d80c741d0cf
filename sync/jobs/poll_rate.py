"""How many polls a second the intervals of the mailboxes ask for, and how many are done, minute by minute.

Only mailboxes that are up to date need polls: a first listing is no poll, however long it takes, and what is held, stopped or
failing waits for another reason.
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

KEPT = timedelta(days=1)
LATELY = timedelta(minutes=10)
"""Over which the rates are averaged before anybody is told: a burst after Start is no shortage."""
MINUTES_AT_LEAST = 5
SHORT = 0.8
"""Part of the needed polls below which there are too few. A poll takes a moment, and a tick comes every few seconds, so a
healthy installation does a little less than its intervals ask for."""
GAP = timedelta(minutes=5)
"""Longer than this, nothing was measured."""


@dataclass(frozen=True, slots=True)
class Shortage:
    """Too few polls. Rates are polls a second, averaged over `LATELY`."""

    needed: float
    done: float
    since: datetime
    late: int
    """Mailboxes that are late now."""


def measure(now: datetime) -> PollRate | None:
    """Write down the rates of the time since the last measurement; None where that is too long ago or just now."""
    last = PollRate.objects.filter(at__lt=now, at__gt=now - GAP).order_by("-at").first()
    since = last.at if last is not None else now - timedelta(minutes=1)
    seconds = (now - since).total_seconds()
    if seconds < 1:
        return None
    row, _ = PollRate.objects.get_or_create(at=now, defaults={"needed": needed(), "done": _ended(since, now) / seconds})
    return row


def needed() -> float:
    """Polls a second that the mailboxes need, each by the pause that was chosen at the end of its last sync: that is longer
    than the interval where no mail has come for days."""
    polled = MailboxState.objects.filter(
        connection_breakers.not_held("mailbox__"),
        mailbox__enabled=True,
        mailbox__integration__enabled=True,
        up_to_date=True,
        failures=0,
    )
    rows = polled.values_list("mailbox__integration__poll_interval", "synced_at", "next_sync_at")
    return sum(1 / _pause(interval, ended, due) for interval, ended, due in rows)


def _pause(interval: int | None, ended: datetime | None, due: datetime | None) -> float:
    """In seconds. A mailbox that was made due at once is polled by its interval afterwards."""
    usual = max(interval or settings.POLL_INTERVAL.total_seconds(), settings.POLL_INTERVAL_LEAST.total_seconds())
    if ended is None or due is None:
        return usual
    return max((due - ended).total_seconds(), usual)


def _ended(since: datetime, now: datetime) -> int:
    begun = since - settings.SYNC_SLICE - settings.LEASE  # by the index on the start: no sync that ended is older
    runs = SyncRun.objects.filter(started_at__gt=begun, outcome=SyncRun.Outcome.DONE)
    return runs.filter(ended_at__gt=since, ended_at__lte=now).count()


def latest(now: datetime) -> PollRate | None:
    """The last measurement, unless it is old."""
    return PollRate.objects.filter(at__gt=now - GAP, at__lte=now).order_by("-at").first()


def shortage(now: datetime) -> Shortage | None:
    """None while as many polls are done as are needed, or no mailbox is late."""
    rates = PollRate.objects.filter(at__gt=now - LATELY, at__lte=now).aggregate(
        needed=Avg("needed"), done=Avg("done"), minutes=Count("at")
    )
    if rates["minutes"] < MINUTES_AT_LEAST or rates["done"] >= SHORT * rates["needed"]:
        return None
    late = Mailbox.objects.filter(
        late_since(now), connection_breakers.not_held(), enabled=True, integration__enabled=True, state__up_to_date=True
    ).count()
    return Shortage(rates["needed"], rates["done"], _short_since(now), late) if late else None


def _short_since(now: datetime) -> datetime:
    """The first minute behind the last one in which enough polls were done."""
    rates = PollRate.objects.filter(at__lte=now)
    enough = rates.filter(done__gte=SHORT * F("needed")).aggregate(at=Max("at"))["at"]
    short = rates.filter(at__gt=enough) if enough is not None else rates
    since: datetime | None = short.aggregate(at=Min("at"))["at"]
    return since or now
