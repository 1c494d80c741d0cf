"""What is forgotten, and when: old and quiet runs, settled set-aside emails, old activity and notices. What was not delivered
is never pruned."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from notifications.models import Notification
from sync.jobs import poll_rate, sign_in_budget
from sync.jobs.housekeeping import ticked
from sync.models import Activity, DeadLetter, MailDay, PollRate, SyncRun
from sync.store.lease import Clock, database_now

ACTIVITY_KEPT = timedelta(days=396)
"""Thirteen months: a month can be compared with the same one a year before."""


DAYS_KEPT = timedelta(weeks=3)
"""A day is compared with the same day of the last two weeks."""


QUIET_KEPT = timedelta(days=1)
"""Of runs that found nothing new: 5,000 mailboxes that are polled every minute have seven million of them a day."""
QUIET = ("listed", "fetched", "created", "updated", "set_aside", "held_back", "text_changes")


def prune(clock: Clock = database_now) -> None:
    now = clock()
    before = now - settings.RUNS_KEPT
    SyncRun.objects.filter(started_at__lt=before).exclude(outcome=SyncRun.Outcome.RUNNING).delete()
    quiet = dict.fromkeys(QUIET, 0) | {"outcome": SyncRun.Outcome.DONE}
    SyncRun.objects.filter(started_at__lt=now - QUIET_KEPT, **quiet).delete()
    DeadLetter.objects.exclude(settled="").filter(settled_at__lt=before).delete()
    Notification.objects.filter(open=False, created_at__lt=before).delete()
    Activity.objects.filter(hour__lt=now - ACTIVITY_KEPT).delete()
    MailDay.objects.filter(day__lt=(now - DAYS_KEPT).date()).delete()
    PollRate.objects.filter(at__lt=now - poll_rate.KEPT).delete()
    sign_in_budget.forget_old(now)
    ticked("prune", now)
