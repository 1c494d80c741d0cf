"""Delete old records: runs, settled dead letters, notifications, counts, poll rates and refused sign-ins.

Runs that found nothing new are deleted earlier than others. Running syncs, open notifications and dead letters that
wait for a retry or a decision are never deleted.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from notifications.models import Notification
from sync.jobs import poll_rate, sign_in_budget
from sync.jobs.housekeeping import record_tick
from sync.models import Activity, DeadLetter, MailDay, PollRate, SyncRun
from sync.store.lease import Clock, database_now

ACTIVITY_RETENTION = timedelta(days=396)
"""Thirteen months, so that a month can be compared with the same month of the previous year."""
MAIL_DAY_RETENTION = timedelta(weeks=3)
"""A day is compared with the same weekday of the last two weeks."""
QUIET_RUN_RETENTION = timedelta(days=1)
"""For runs that found nothing new: 5,000 mailboxes that are polled every minute produce seven million such runs per day."""
QUIET = ("listed", "fetched", "created", "updated", "set_aside", "held_back", "text_changes")
"""Counts that are all 0 in a run that found nothing new."""


def prune(clock: Clock = database_now) -> None:
    """Delete the records that are older than their retention time.

    Args:
        clock: Returns the current time in UTC.
    """
    now = clock()
    before = now - settings.RUNS_KEPT
    SyncRun.objects.filter(started_at__lt=before).exclude(outcome=SyncRun.Outcome.RUNNING).delete()
    quiet = dict.fromkeys(QUIET, 0) | {"outcome": SyncRun.Outcome.DONE}
    SyncRun.objects.filter(started_at__lt=now - QUIET_RUN_RETENTION, **quiet).delete()
    DeadLetter.objects.exclude(settled="").filter(settled_at__lt=before).delete()
    Notification.objects.filter(open=False, created_at__lt=before).delete()
    Activity.objects.filter(hour__lt=now - ACTIVITY_RETENTION).delete()
    MailDay.objects.filter(day__lt=(now - MAIL_DAY_RETENTION).date()).delete()
    PollRate.objects.filter(at__lt=now - poll_rate.RETENTION).delete()
    sign_in_budget.forget_old(now)
    record_tick("prune", now)
