"""Mailboxes that bring many emails whose conversion takes too long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sync.attention.group import Group
from sync.slow_mail import slow_mailboxes
from sync.status import Tone


def slow(now: datetime) -> Iterator[Group]:
    for it in slow_mailboxes(now):
        yield Group(it.mailbox.integration_id, 1, it.mailbox.pk, "Slow emails", it.sentence, Tone.WARN, it.latest)
