"""What must never be, looked for now: each finding with how many it concerns and what to do. Read only.

The overview shows them among what needs attention, and `/metrics` counts them: see docs/monitoring.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db.models import Count, Max, Min, Q, Sum

from integrations.models import Integration
from mailboxes.models import Bucket, Mailbox
from sync.jobs import bucket_audit
from sync.jobs.lateness import DUE, LONG, LONG_LEAST, late_since
from sync.jobs.outcome import CHECKPOINT_MOVED
from sync.models import Activity, MailboxState, SyncRun
from sync.reporting.status import Status, clock, with_status

LATELY = timedelta(hours=24)
MOVED_OFTEN = 3
"""Checkpoints that moved under a sync within a day: one or two are an admin who listed a folder again just then."""
GRACE = timedelta(minutes=5)
Integrations = Mapping[int, Integration]


class Invariant(StrEnum):
    CHECKPOINT_WENT_BACK = "checkpoint_went_back"
    CHECKPOINT_MOVED = "checkpoint_moved_under_a_sync"
    MAILBOX_UNTOUCHED = "mailbox_untouched"
    LEASE_OUTLIVED = "lease_outlived_its_worker"
    COMMENTS_MISSING = "comments_missing"
    COMMENTS_SURPLUS = "comments_surplus"
    TEXT_CHANGED = "text_changed"


@dataclass(frozen=True, slots=True)
class Broken:
    invariant: Invariant
    subject: Integration | Bucket
    count: int
    """Mailboxes of an integration; of a bucket, comments or texts."""
    since: datetime | None
    text: str
    waiting: bool = False
    """Of mailboxes that nobody touched: workers are there, and busy with others."""


def broken(now: datetime, integrations: Integrations | None = None) -> list[Broken]:
    """All that is not as it must be, worst first. `integrations`: all of them by primary key, where they are at hand."""
    given = Integration.objects.in_bulk() if integrations is None else integrations
    return [
        *_text_changed(now),
        *_drifted(),
        *_went_back(now, given),
        *_moved(now, given),
        *_outlived(now, given),
        *_untouched(now, given),
    ]


def _text_changed(now: datetime) -> Iterator[Broken]:
    rows = Activity.objects.filter(hour__gt=now - LATELY, text_changes__gt=0).order_by().values("bucket_id")
    found = list(rows.annotate(count=Sum("text_changes"), since=Max("hour")))
    for row, bucket in _with(Bucket.objects.in_bulk([row["bucket_id"] for row in found]), "bucket_id", found):
        text = (
            f"Re:infer says that {row['count']:,} of our updates in the last 24 hours changed a text, and bills each as an AI "
            "unit. This must never be: stop the mailboxes of this bucket, and report it."
        )
        yield Broken(Invariant.TEXT_CHANGED, bucket, row["count"], row["since"], text)


def _drifted() -> Iterator[Broken]:
    missing, surplus = bucket_audit.found()
    for row in missing:
        count = row.confirmed - (row.stored or 0)
        text = (
            f"Re:infer holds {count:,} fewer comments than it acknowledged ({row.stored:,} of {row.confirmed:,}). Somebody may "
            "have deleted them. Verify its mailboxes: what is missing can be sent again."
        )
        yield Broken(Invariant.COMMENTS_MISSING, row.bucket, count, row.missing_since, text)
    for row in surplus:
        count = row.surplus or 0
        held = "1 comment that we did" if count == 1 else f"{count:,} comments that we did"
        text = (
            f"Re:infer holds {held} not know. Nothing is sent twice: from now on it is asked for each new email first. If our "
            "database came from a backup, run manage.py restored_backup. If somebody else writes into this bucket, accept it."
        )
        yield Broken(Invariant.COMMENTS_SURPLUS, row.bucket, count, row.surplus_since, text)


def _went_back(now: datetime, integrations: Integrations) -> Iterator[Broken]:
    rows = MailboxState.objects.filter(went_back_at__gt=now - LATELY).order_by().values("mailbox__integration_id")
    found = rows.annotate(count=Count("pk"), since=Max("went_back_at"))
    for row, integration in _with(integrations, "mailbox__integration_id", found):
        text = (
            f"Checkpoints of {row['count']:,} of its mailboxes are older than they were. Nothing is lost: the mail since "
            "then is listed once more. Ask whether somebody restored or changed rows of the database by hand."
        )
        yield Broken(Invariant.CHECKPOINT_WENT_BACK, integration, row["count"], row["since"], text)


def _moved(now: datetime, integrations: Integrations) -> Iterator[Broken]:
    lost = SyncRun.objects.filter(outcome=SyncRun.Outcome.LOST, started_at__gt=now - LATELY)
    rows = lost.filter(error_kind=CHECKPOINT_MOVED).order_by()
    found = rows.values("mailbox__integration_id").annotate(
        syncs=Count("pk"), count=Count("mailbox_id", distinct=True), since=Max("started_at")
    )
    for row, integration in _with(integrations, "mailbox__integration_id", found.filter(syncs__gte=MOVED_OFTEN)):
        text = (
            f"{row['syncs']:,} syncs in the last 24 hours found that something else had moved their checkpoint. Nothing is "
            "lost. Look whether workers of two installations use one database."
        )
        yield Broken(Invariant.CHECKPOINT_MOVED, integration, row["count"], row["since"], text)


def _outlived(now: datetime, integrations: Integrations) -> Iterator[Broken]:
    """A run that is open although its lease ended long ago, or a lease that holds for longer than any may."""
    dead = Q(lease_until=None) | Q(lease_until__lt=now - GRACE)
    too_long = Q(lease_until__gt=now + settings.LEASE + GRACE) | Q(queued_until__gt=now + settings.QUEUED_FOR + GRACE)
    open_runs = SyncRun.objects.filter(outcome=SyncRun.Outcome.RUNNING, started_at__lt=now - GRACE)
    states = MailboxState.objects.filter(too_long | (dead & Q(pk__in=open_runs.values("mailbox_id"))))
    rows = states.order_by().values("mailbox__integration_id").annotate(count=Count("pk"), since=Min("lease_until"))
    for row, integration in _with(integrations, "mailbox__integration_id", rows):
        text = (
            f"{row['count']:,} of its mailboxes are held for a worker that is gone. They go on when their lease ends; if this "
            "stays, check that a worker for the queue control is running and that the clock of the database did not jump."
        )
        yield Broken(Invariant.LEASE_OUTLIVED, integration, row["count"], row["since"], text)


def _untouched(now: datetime, integrations: Integrations) -> Iterator[Broken]:
    long_due = late_since(now, intervals=LONG, least=LONG_LEAST)
    late = with_status(Mailbox.objects.all(), now).filter(long_due, status__in=[Status.OVERDUE, Status.WAITING])
    rows = late.order_by().values("integration_id").annotate(count=Count("pk"), since=Min(DUE))
    found = list(rows.order_by("-since"))
    busy = _busy(now) if found else {}
    for row, integration in _with(integrations, "integration_id", found):
        text = f"The one that waits longest was due {clock(row['since'], now)}. {_why_untouched(integration, busy)}"
        yield Broken(Invariant.MAILBOX_UNTOUCHED, integration, row["count"], row["since"], text, waiting=bool(busy))


def _why_untouched(integration: Integration, busy: Mapping[int, int]) -> str:
    """Whether workers are away, or busy with others. `busy`: how many mailboxes of each integration are in hand."""
    mine = busy.get(integration.pk, 0)
    if mine >= integration.most_at_once:
        return (
            f"They are waiting for a free worker: {mine} mailboxes of this integration are being synced, and no more may be at "
            "once. Raise that number, or the poll interval."
        )
    if busy:
        return "They are waiting for a free worker: all are busy with other mailboxes. Add workers, or raise the poll interval."
    return "No worker took them. Check that worker and beat are running."


def _busy(now: datetime) -> dict[int, int]:
    busy = MailboxState.objects.filter(lease_until__gt=now).order_by()
    return dict(busy.values_list("mailbox__integration_id").annotate(Count("pk")))


def _with(subjects: Mapping[int, Any], key: str, rows: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    """Each row with what it is about; without those that were deleted meanwhile."""
    return ((row, subjects[row[key]]) for row in rows if row[key] in subjects)
