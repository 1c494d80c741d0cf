"""Mailboxes that bring many emails whose conversion takes too long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sync.jobs.slow_conversions import slow_mailboxes
from sync.reporting.attention.group import Group
from sync.reporting.status import Tone


def slow(now: datetime) -> Iterator[Group]:
    for it in slow_mailboxes(now):
        yield Group(it.mailbox.integration_id, 1, it.mailbox.pk, "Slow emails", it.sentence, Tone.WARN, it.latest)
