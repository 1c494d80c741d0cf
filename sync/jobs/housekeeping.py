"""Run the periodic checks, once a minute.

The checks record violations of invariants, close the runs of workers that died, close notifications about deleted
mailboxes, measure the poll rate, and announce mailboxes with slow conversions. Invariants that need only a query are
checked when a page or `/metrics` is requested (`sync.reporting.invariants`). This module runs the checks that write to
the database. These checks are cheap even with 5,000 mailboxes: no statement reads mailbox items or ledger entries.
"""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db.models import F, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from notifications.outbox import close_deleted
from sync.jobs import poll_rate
from sync.jobs.slow_conversions import announce_slow_mailboxes
from sync.models import MailboxState, SyncedFolder, SyncRun, Tick
from sync.store.lease import Clock, database_now

log = structlog.get_logger(__name__)


def run_checks(clock: Clock = database_now) -> None:
    """Run all checks, and record that they ran.

    Args:
        clock: Returns the current time in UTC.
    """
    now = clock()
    close_orphans(now)
    record_moved_back_checkpoints(now)
    close_deleted()
    poll_rate.measure(now)
    announce_slow_mailboxes(now)
    record_tick("watch", now)


def record_tick(name: str, now: datetime) -> None:
    """Record that a periodic task ran.

    Args:
        name: Name of the task.
        now: The current time in UTC.
    """
    if not Tick.objects.filter(name=name).update(at=now):
        Tick.objects.bulk_create([Tick(name=name, at=now)], ignore_conflicts=True)


def close_orphans(now: datetime) -> int:
    """Close the open runs that no longer hold the lease of their mailbox. Usually their worker died.

    The lease has expired, was released, or is held by another run. The next sync of the mailbox would close these runs
    as well, but a disabled mailbox has no next sync.

    Args:
        now: The current time in UTC.

    Returns:
        Number of closed runs.
    """
    open_runs = SyncRun.objects.filter(outcome=SyncRun.Outcome.RUNNING)
    alive = open_runs.filter(mailbox__state__lease_token=F("lease_token"), mailbox__state__lease_until__gt=now)
    ids = list(open_runs.exclude(pk__in=alive.values("pk")).values_list("pk", flat=True))
    # Check the outcome again in the update: the run may have ended normally since the query.
    return SyncRun.objects.filter(pk__in=ids, outcome=SyncRun.Outcome.RUNNING).update(
        outcome=SyncRun.Outcome.LOST, ended_at=now
    )


def record_moved_back_checkpoints(now: datetime) -> int:
    """Find mailboxes whose checkpoints are older than at the end of their last sync, and record the time.

    A cursor is opaque, so each folder counts the pages with which its checkpoint advanced, and each mailbox stores the
    sum at the end of a sync. A smaller sum means that the database contains an older row, after a partly restored
    backup, a stale write, or a manual change.

    Args:
        now: The current time in UTC.

    Returns:
        Number of mailboxes that were found.
    """
    folders = SyncedFolder.objects.filter(mailbox=OuterRef("pk")).order_by().values("mailbox")
    pages = Coalesce(Subquery(folders.annotate(n=Sum("pages")).values("n")), 0)
    moved_back = MailboxState.objects.annotate(current=pages).filter(pages__gt=F("current"))
    affected = list(moved_back.values_list("pk", "current"))
    for pk, current in affected:
        # Store the smaller sum, so that the same event is not reported again.
        MailboxState.objects.filter(pk=pk).update(pages=current, went_back_at=now)
    if affected:
        log.error("watch.checkpoints_went_back", mailboxes=len(affected))
    return len(affected)
