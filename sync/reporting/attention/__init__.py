"""What needs an admin's attention now, newest first: each with what to do about it, and on what."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from integrations.models import Integration
from sync.reporting.attention import (
    broken,
    connections,
    dead_letters,
    folders,
    mailboxes,
    newly_wanted,
    polling,
    silence,
    slow,
    standstill,
)
from sync.reporting.attention.group import Group, as_problems
from sync.reporting.attention.problem import MOST, Problem, Problems

__all__ = ["MOST", "Problem", "Problems", "problems"]


def problems(now: datetime, integrations: Iterable[Integration] | None = None) -> Problems:
    """Everything that needs attention, newest first. A failure that many mailboxes share is one problem. `integrations`: all of
    them, where they are at hand."""
    rows = {row.pk: row for row in (Integration.objects.all() if integrations is None else integrations)}
    found = [
        standstill.standing(now, rows.values()),
        polling.polling(now),
        connections.integrations(rows.values(), now),
        connections.destinations(now),
        connections.buckets(now),
        connections.budgets(now),
        _of_mailboxes(rows, now),
        broken.broken(now, rows),
        dead_letters.set_aside(now),
        newly_wanted.newly_wanted(rows),
    ]
    each = [problem for some in found for problem in some]
    return Problems(sorted(each, key=_newest, reverse=True), sum(some.more for some in found))


def _of_mailboxes(integrations: dict[int, Integration], now: datetime) -> Problems:
    groups: list[Group] = []
    more = 0
    for found in (
        mailboxes.disabled(),
        mailboxes.failing(now),
        mailboxes.unfinished(now, integrations.values()),
        folders.left_out(now),
        silence.silent(now),
        slow.slow(now),
    ):
        kind = sorted(found, key=_newest, reverse=True)
        groups += kind[:MOST]
        more += max(0, len(kind) - MOST)
    return Problems(as_problems(groups, integrations), more)


def _newest(it: Problem | Group) -> tuple[bool, datetime | None]:
    return (it.since is not None, it.since)
