"""Select the sync runs that are worth showing. Most runs find nothing new and would hide the others in a list."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from sync.models import SyncRun

FAILED = Q(outcome__in=[SyncRun.Outcome.FAILED, SyncRun.Outcome.LOST])
WORKED = Q(created__gt=0) | Q(updated__gt=0) | Q(set_aside__gt=0) | Q(held_back__gt=0)


def worth_showing(runs: QuerySet[SyncRun]) -> QuerySet[SyncRun]:
    """Return the runs that pushed comments, held back updates, had failed emails, failed, were lost, or are still running.

    Args:
        runs: The runs to select from.

    Returns:
        The selected runs, in the order of `runs`.
    """
    return runs.filter(FAILED | WORKED | Q(outcome=SyncRun.Outcome.RUNNING))
