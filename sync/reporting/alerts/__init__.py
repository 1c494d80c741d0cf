"""Find the problems that require action by an admin. Each problem names its subject and the remedy. Read-only."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from integrations.models import Integration
from sync.reporting.alerts import (
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
from sync.reporting.alerts.group import Group, as_problems
from sync.reporting.alerts.problem import MOST, Problem, Problems

__all__ = ["MOST", "Problem", "Problems", "problems"]


def problems(now: datetime, integrations: Iterable[Integration] | None = None) -> Problems:
    """Return the problems that require action. A failure of many mailboxes is reported as one problem.

    Args:
        now: Current time, aware.
        integrations: All integrations, if the caller has loaded them; None if this function must load them.

    Returns:
        The problems, newest first: at most `MOST` of each kind, but all about the end of EWS and about certificates.
    """
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
        dead_letters.failed_emails(now),
        newly_wanted.newly_wanted(rows),
    ]
    merged = [problem for part in found for problem in part]
    return Problems(sorted(merged, key=_newest, reverse=True), sum(part.more for part in found))


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
        newest = sorted(found, key=_newest, reverse=True)
        groups += newest[:MOST]
        more += max(0, len(newest) - MOST)
    return Problems(as_problems(groups, integrations), more)


def _newest(it: Problem | Group) -> tuple[bool, datetime | None]:
    return (it.since is not None, it.since)
