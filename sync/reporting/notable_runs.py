"""Which of the many sync runs are worth showing: most find nothing new, and say only that all is well."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from sync.models import SyncRun

FAILED = Q(outcome__in=[SyncRun.Outcome.FAILED, SyncRun.Outcome.LOST])
WORKED = Q(created__gt=0) | Q(updated__gt=0) | Q(set_aside__gt=0) | Q(held_back__gt=0)


def worth_showing(runs: QuerySet[SyncRun]) -> QuerySet[SyncRun]:
    """Those that moved something, failed, or are at work."""
    return runs.filter(FAILED | WORKED | Q(outcome=SyncRun.Outcome.RUNNING))
