"""The runs of an integration that failed lately, and what they failed with. Read only."""

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
    """All failures of one kind."""

    kind: str
    text: str
    known: bool
    """Whether the catalogue explains it."""
    runs: int
    mailboxes: int
    last: datetime


def failed_runs(integration: Integration, now: datetime) -> QuerySet[SyncRun]:
    """Newest first."""
    return SyncRun.objects.filter(
        mailbox__integration=integration, outcome=SyncRun.Outcome.FAILED, started_at__gte=now - LATELY
    )


def by_kind(runs: QuerySet[SyncRun]) -> list[FailureGroup]:
    """The most frequent first."""
    rows = (
        runs.order_by()
        .values("error_kind")
        .annotate(n=Count("pk"), m=Count("mailbox", distinct=True), at=Max("started_at"))
    )
    return [_kind(row["error_kind"], row["n"], row["m"], row["at"]) for row in rows.order_by("-n")]


def _kind(kind: str, runs: int, mailboxes: int, last: datetime) -> FailureGroup:
    entry = entry_of(kind)
    return FailureGroup(
        kind, entry.text if entry else "A fault of this product", entry is not None, runs, mailboxes, last
    )
