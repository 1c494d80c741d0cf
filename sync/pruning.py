"""What is forgotten, and when: old runs and settled set-aside emails. What was not delivered is never pruned."""

from __future__ import annotations

from django.conf import settings

from sync.lease import Clock, database_now
from sync.models import SetAsideEmail, SyncRun


def prune(clock: Clock = database_now) -> None:
    before = clock() - settings.RUNS_KEPT
    SyncRun.objects.filter(started_at__lt=before).exclude(outcome=SyncRun.Outcome.RUNNING).delete()
    SetAsideEmail.objects.exclude(settled="").filter(settled_at__lt=before).delete()
