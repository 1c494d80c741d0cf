"""When a mailbox is late: it is due, and no worker took it, for longer than it may have to wait.

A mailbox that is up to date is to be polled once in each interval of its integration, so it is late when it has waited for
one more. A mailbox that is not up to date is being listed for the first time, or again, slice by slice: that may take hours,
and only one that nobody touches at all is late.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Case, DateTimeField, DurationField, ExpressionWrapper, F, IntegerField, Q, Value, When
from django.db.models.functions import Coalesce, Greatest
from django.db.models.lookups import LessThan

from mailboxes.models import Mailbox
from sync.jobs.outcome import interval
from sync.models import MailboxState

LEAST = timedelta(minutes=1)
"""However short the interval is: a tick, a queue and a busy moment take some seconds."""
LISTING = timedelta(minutes=15)
"""For a mailbox that is not up to date."""
LONG = 3
"""Intervals after which it is no burst any more, as after Start, and an admin should know."""
LONG_LEAST = timedelta(minutes=5)

DUE = Coalesce("state__next_sync_at", "state__asked_at")
"""Of a mailbox: when it is due, or since when it is due at once."""


def late_since(now: datetime, *, intervals: int = 1, least: timedelta = LEAST) -> Q:
    """Mailboxes that have been due for longer than so many intervals of theirs, and at least `least`, and that no worker has in
    hand: whatever the reason is."""
    chosen = Coalesce(F("integration__poll_interval"), _seconds(settings.POLL_INTERVAL))
    every = Greatest(chosen, _seconds(settings.POLL_INTERVAL_LEAST))
    of_poll = Greatest(every * Value(intervals), _seconds(least), output_field=IntegerField())
    of_listing = Greatest(of_poll, _seconds(LISTING), output_field=IntegerField())
    seconds = Case(When(state__up_to_date=True, then=of_poll), default=of_listing, output_field=IntegerField())
    waits = ExpressionWrapper(seconds * Value(timedelta(seconds=1)), output_field=DurationField())
    before = ExpressionWrapper(Value(now, output_field=DateTimeField()) - waits, output_field=DateTimeField())
    return Q(LessThan(DUE, before)) & ~Q(state__lease_until__gt=now)


def is_late(mailbox: Mailbox, state: MailboxState, now: datetime) -> bool:
    """The same of one mailbox, whose integration is at hand, apart from whether a worker has it."""
    patience = max(interval(mailbox.integration), LEAST)
    return due_at(state) < now - (patience if state.up_to_date else max(patience, LISTING))


def due_at(state: MailboxState) -> datetime:
    return state.next_sync_at or state.asked_at


def _seconds(length: timedelta) -> Value:
    return Value(int(length.total_seconds()))
