"""A look at what must never be, once a minute: marks what was found for people, and tidies up after workers that died.

What only needs a query is asked when somebody looks (`sync.reporting.invariants`); here is what has to be written down.
Cheap with 5,000 mailboxes: every statement reads states, folders or open runs, never the mail.
"""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db.models import F, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from notifications.outbox import forget_deleted
from sync.jobs import poll_rate
from sync.jobs.slow_conversions import announce_slow_mailboxes
from sync.models import MailboxState, SyncedFolder, SyncRun, Tick
from sync.store.lease import Clock, database_now

log = structlog.get_logger(__name__)


def look(clock: Clock = database_now) -> None:
    now = clock()
    close_orphans(now)
    note_checkpoints_that_went_back(now)
    forget_deleted()
    poll_rate.measure(now)
    announce_slow_mailboxes(now)
    ticked("watch", now)


def ticked(name: str, now: datetime) -> None:
    """A periodic task ran."""
    if not Tick.objects.filter(name=name).update(at=now):
        Tick.objects.bulk_create([Tick(name=name, at=now)], ignore_conflicts=True)


def close_orphans(now: datetime) -> int:
    """Runs whose worker died: their lease ended, or is another's. The next sync would close them, but a mailbox that was
    stopped has none. How many there were."""
    open_runs = SyncRun.objects.filter(outcome=SyncRun.Outcome.RUNNING)
    held = open_runs.filter(mailbox__state__lease_token=F("lease_token"), mailbox__state__lease_until__gt=now)
    ids = list(open_runs.exclude(pk__in=held.values("pk")).values_list("pk", flat=True))
    # Once more by the row itself: it may have ended in order since.
    return SyncRun.objects.filter(pk__in=ids, outcome=SyncRun.Outcome.RUNNING).update(
        outcome=SyncRun.Outcome.LOST, ended_at=now
    )


def note_checkpoints_that_went_back(now: datetime) -> int:
    """A cursor can be read by nobody but its source, so each checkpoint counts how often it moved on, and each mailbox
    remembers the sum at the end of its last sync. A smaller sum is an older row: half a backup, a stale write, a hand in
    the database. How many mailboxes were found."""
    folders = SyncedFolder.objects.filter(mailbox=OuterRef("pk")).order_by().values("mailbox")
    pages = Coalesce(Subquery(folders.annotate(n=Sum("pages")).values("n")), 0)
    back = MailboxState.objects.annotate(now_at=pages).filter(pages__gt=F("now_at"))
    found = list(back.values_list("pk", "now_at"))
    for pk, now_at in found:
        # From here on it counts anew: one fall is told once.
        MailboxState.objects.filter(pk=pk).update(pages=now_at, went_back_at=now)
    if found:
        log.error("watch.checkpoints_went_back", mailboxes=len(found))
    return len(found)
