"""The failed runs of an integration in the last 30 days, grouped by kind of error. Read-only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, QuerySet

from integrations.catalogue import entry_of
from integrations.models import Integration
from sync.models import SyncRun

LATELY = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """The failed runs with one kind of error.

    Attributes:
        kind: The kind of the error.
        text: What happened.
        known: Whether the catalogue explains this kind.
        runs: Number of runs.
        mailboxes: Number of mailboxes with at least one of these runs.
        last: Start of the newest of these runs, aware.
    """

    kind: str
    text: str
    known: bool
    runs: int
    mailboxes: int
    last: datetime


def failed_runs(integration: Integration, now: datetime) -> QuerySet[SyncRun]:
    """Return the runs of an integration that failed in the last 30 days.

    Args:
        integration: The integration.
        now: Current time, aware.

    Returns:
        The runs, newest first.
    """
    return SyncRun.objects.filter(
        mailbox__integration=integration, outcome=SyncRun.Outcome.FAILED, started_at__gte=now - LATELY
    )


def by_kind(runs: QuerySet[SyncRun]) -> list[FailureGroup]:
    """Group failed runs by kind of error.

    Args:
        runs: The failed runs.

    Returns:
        The groups, most frequent first.
    """
    rows = (
        runs.order_by()
        .values("error_kind")
        .annotate(n=Count("pk"), m=Count("mailbox", distinct=True), at=Max("started_at"))
    )
    return [_group(row["error_kind"], row["n"], row["m"], row["at"]) for row in rows.order_by("-n")]


def _group(kind: str, runs: int, mailboxes: int, last: datetime) -> FailureGroup:
    entry = entry_of(kind)
    return FailureGroup(
        kind, entry.text if entry else "A fault of this product", entry is not None, runs, mailboxes, last
    )
