"""Alerts about mailboxes with many emails whose conversion takes too long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sync.jobs.slow_conversions import slow_mailboxes
from sync.reporting.alerts.group import Group
from sync.reporting.status import Tone


def slow(now: datetime) -> Iterator[Group]:
    """Yield a group for each mailbox with many slow conversions: see `sync.jobs.slow_conversions`.

    Args:
        now: Current time, aware.

    Yields:
        A group of one mailbox.
    """
    for it in slow_mailboxes(now):
        yield Group(it.mailbox.integration_id, 1, it.mailbox.pk, "Slow emails", it.sentence, Tone.WARN, it.latest)
