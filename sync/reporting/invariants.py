"""Check the invariants of the installation. Each violation has a count, a text and a remedy. Read-only.

The overview shows violations under *Action required*, and `/metrics` counts them: see docs/monitoring.md.
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
"""An alert is shown if, within `LATELY`, at least this many syncs of an integration found that another process had
changed a checkpoint. One or two such syncs are normal after a full resync was requested."""
GRACE = timedelta(minutes=5)
"""Tolerance for delays before a run, a lease or a queue mark is reported."""
Integrations = Mapping[int, Integration]


class Invariant(StrEnum):
    """The invariants. The values are labels of a metric."""

    CHECKPOINT_WENT_BACK = "checkpoint_went_back"
    CHECKPOINT_MOVED = "checkpoint_moved_under_a_sync"
    MAILBOX_UNTOUCHED = "mailbox_untouched"
    LEASE_OUTLIVED = "lease_outlived_its_worker"
    COMMENTS_MISSING = "comments_missing"
    COMMENTS_SURPLUS = "comments_surplus"
    TEXT_CHANGED = "text_changed"


@dataclass(frozen=True, slots=True)
class Broken:
    """A violation of an invariant.

    Attributes:
        invariant: The invariant.
        subject: The integration or bucket that it concerns.
        count: Integrations: number of mailboxes. Buckets: number of comments or texts.
        since: When the violation began or was last detected, aware; None if unknown.
        text: What happened and what to do.
        waiting: Overdue mailboxes only: whether workers are running and busy with other mailboxes.
    """

    invariant: Invariant
    subject: Integration | Bucket
    count: int
    since: datetime | None
    text: str
    waiting: bool = False


def broken(now: datetime, integrations: Integrations | None = None) -> list[Broken]:
    """Return all violated invariants.

    Args:
        now: Current time, aware.
        integrations: All integrations by primary key, if the caller has loaded them; None if this function must load them.

    Returns:
        The violations, worst first.
    """
    loaded = Integration.objects.in_bulk() if integrations is None else integrations
    return [
        *_text_changed(now),
        *_audited(),
        *_went_back(now, loaded),
        *_moved(now, loaded),
        *_outlived(now, loaded),
        *_untouched(now, loaded),
    ]


def _text_changed(now: datetime) -> Iterator[Broken]:
    rows = Activity.objects.filter(hour__gt=now - LATELY, text_changes__gt=0).order_by().values("bucket_id")
    found = list(rows.annotate(count=Sum("text_changes"), since=Max("hour")))
    for row, bucket in _with(Bucket.objects.in_bulk([row["bucket_id"] for row in found]), "bucket_id", found):
        text = (
            f"Re:infer reports that {row['count']:,} of our updates in the last 24 hours changed a text, and bills "
            "each as an AI unit. An update must never change a text: stop the mailboxes of the bucket, and report this."
        )
        yield Broken(Invariant.TEXT_CHANGED, bucket, row["count"], row["since"], text)


def _audited() -> Iterator[Broken]:
    missing, surplus = bucket_audit.differences()
    for row in missing:
        count = row.confirmed - (row.stored or 0)
        text = (
            f"Re:infer acknowledged {row.confirmed:,} comments, but has only {row.stored or 0:,} of them. The "
            "missing comments may have been deleted in Re:infer. A verification of the mailboxes of the bucket "
            "can push these comments again."
        )
        yield Broken(Invariant.COMMENTS_MISSING, row.bucket, count, row.missing_since, text)
    for row in surplus:
        count = row.surplus or 0
        noun = "comment" if count == 1 else "comments"
        text = (
            f"Re:infer has {count:,} {noun} that our ledger does not contain. No comment is pushed twice: from now on "
            "the bucket is queried before each new email is pushed. If our database was restored from a backup, run "
            "manage.py restored_backup. If another program writes into this bucket, accept the comments."
        )
        yield Broken(Invariant.COMMENTS_SURPLUS, row.bucket, count, row.surplus_since, text)


def _went_back(now: datetime, integrations: Integrations) -> Iterator[Broken]:
    rows = MailboxState.objects.filter(went_back_at__gt=now - LATELY).order_by().values("mailbox__integration_id")
    found = rows.annotate(count=Count("pk"), since=Max("went_back_at"))
    for row, integration in _with(integrations, "mailbox__integration_id", found):
        text = (
            f"The checkpoints of {row['count']:,} of its mailboxes are older than before. No email is lost: the mail "
            "since then is listed again. Check whether rows of the database were restored or changed by hand."
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
            f"{row['syncs']:,} syncs in the last 24 hours found that another process had changed their checkpoint. No "
            "email is lost. Check whether workers of two installations use one database."
        )
        yield Broken(Invariant.CHECKPOINT_MOVED, integration, row["count"], row["since"], text)


def _outlived(now: datetime, integrations: Integrations) -> Iterator[Broken]:
    """Find open runs whose lease ended more than `GRACE` ago, and leases and queue marks that end later than is possible."""
    expired = Q(lease_until=None) | Q(lease_until__lt=now - GRACE)
    too_long = Q(lease_until__gt=now + settings.LEASE + GRACE) | Q(queued_until__gt=now + settings.QUEUED_FOR + GRACE)
    open_runs = SyncRun.objects.filter(outcome=SyncRun.Outcome.RUNNING, started_at__lt=now - GRACE)
    states = MailboxState.objects.filter(too_long | (expired & Q(pk__in=open_runs.values("mailbox_id"))))
    rows = states.order_by().values("mailbox__integration_id").annotate(count=Count("pk"), since=Min("lease_until"))
    for row, integration in _with(integrations, "mailbox__integration_id", rows):
        text = (
            f"Mailboxes with the lease of a worker, or the queue mark of a task, that is gone: {row['count']:,}. They sync "
            "again when the lease or mark ends. If this alert stays, check that a worker for the queue control is running and "
            "that the clock of the database did not jump."
        )
        yield Broken(Invariant.LEASE_OUTLIVED, integration, row["count"], row["since"], text)


def _untouched(now: datetime, integrations: Integrations) -> Iterator[Broken]:
    long_due = late_since(now, intervals=LONG, least=LONG_LEAST)
    late = with_status(Mailbox.objects.all(), now).filter(long_due, status__in=[Status.OVERDUE, Status.WAITING])
    rows = late.order_by().values("integration_id").annotate(count=Count("pk"), since=Min(DUE))
    found = list(rows.order_by("-since"))
    busy = _busy(now) if found else {}
    for row, integration in _with(integrations, "integration_id", found):
        text = f"The mailbox that waits longest was due {clock(row['since'], now)}. {_why_untouched(integration, busy)}"
        yield Broken(Invariant.MAILBOX_UNTOUCHED, integration, row["count"], row["since"], text, waiting=bool(busy))


def _why_untouched(integration: Integration, busy: Mapping[int, int]) -> str:
    """Explain why no worker took the mailboxes. `busy` maps an integration to the number of its mailboxes being synced."""
    syncing = busy.get(integration.pk, 0)
    if syncing >= integration.most_at_once:
        return (
            f"Its mailboxes are waiting in the queue: this integration syncs its maximum number of mailboxes at once "
            f"({syncing}). Raise that number, or the poll interval."
        )
    if busy:
        return (
            "Its mailboxes are waiting in the queue: all workers are busy with other mailboxes. Add workers, or raise the poll "
            "interval."
        )
    return "No worker started a sync. Check that worker and beat are running."


def _busy(now: datetime) -> dict[int, int]:
    """Return the number of mailboxes that are being synced, by primary key of the integration."""
    busy = MailboxState.objects.filter(lease_until__gt=now).order_by()
    return dict(busy.values_list("mailbox__integration_id").annotate(Count("pk")))


def _with(subjects: Mapping[int, Any], key: str, rows: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield each row with its subject. Rows whose subject was deleted meanwhile are omitted."""
    return ((row, subjects[row[key]]) for row in rows if row[key] in subjects)
