"""Decide whether a mailbox is late: it has been due for too long, and no worker has started its sync.

A mailbox that is up to date is polled once per poll interval of its integration. Such a mailbox is late when it has
been due for longer than one more interval, and for longer than `LEAST`. A mailbox that is not up to date is usually
listed in time slices (first sync or full resync), which may take hours. So a mailbox that is not up to date is late
only when it has been due for longer than one interval, and for longer than `LISTING`.
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
"""The shortest wait that counts as late, even if the poll interval is shorter: scheduling and queueing take some
seconds."""
LISTING = timedelta(minutes=15)
"""The shortest wait that counts as late for a mailbox that is not up to date."""
LONG = 3
"""Number of intervals after which an admin is alerted. Shorter delays are normal when many mailboxes become due at once,
for example after *Start*."""
LONG_LEAST = timedelta(minutes=5)
"""The shortest wait after which an admin is alerted."""

DUE = Coalesce("state__next_sync_at", "state__asked_at")
"""Query expression on a mailbox: when it is due. If it is due at once: when the sync was requested."""


def late_since(now: datetime, *, intervals: int = 1, least: timedelta = LEAST) -> Q:
    """Return the condition that a mailbox is late and no worker is syncing it, for any reason.

    Args:
        now: The current time in UTC.
        intervals: Number of poll intervals that a mailbox may be overdue.
        least: The shortest wait that counts as late.

    Returns:
        A condition for `filter` of mailboxes.
    """
    configured = Coalesce(F("integration__poll_interval"), _seconds(settings.POLL_INTERVAL))
    every = Greatest(configured, _seconds(settings.POLL_INTERVAL_LEAST))
    of_poll = Greatest(every * Value(intervals), _seconds(least), output_field=IntegerField())
    of_listing = Greatest(of_poll, _seconds(LISTING), output_field=IntegerField())
    seconds = Case(When(state__up_to_date=True, then=of_poll), default=of_listing, output_field=IntegerField())
    allowed = ExpressionWrapper(seconds * Value(timedelta(seconds=1)), output_field=DurationField())
    before = ExpressionWrapper(Value(now, output_field=DateTimeField()) - allowed, output_field=DateTimeField())
    return Q(LessThan(DUE, before)) & ~Q(state__lease_until__gt=now)


def is_late(mailbox: Mailbox, state: MailboxState, now: datetime) -> bool:
    """Return whether one mailbox is late. Does not check whether a worker is syncing it.

    Args:
        mailbox: The mailbox, with its integration loaded.
        state: The state of the mailbox.
        now: The current time in UTC.

    Returns:
        True when it is late.
    """
    allowed = max(interval(mailbox.integration), LEAST)
    return due_at(state) < now - (allowed if state.up_to_date else max(allowed, LISTING))


def due_at(state: MailboxState) -> datetime:
    """Return when a mailbox is due. If it is due at once, return when the sync was requested.

    Args:
        state: The state of the mailbox.

    Returns:
        A time in UTC.
    """
    return state.next_sync_at or state.asked_at


def _seconds(length: timedelta) -> Value:
    return Value(int(length.total_seconds()))
