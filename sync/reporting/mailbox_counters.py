"""Compute the numbers on the pages: delivered and failed emails, created and updated comments. Read-only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, QuerySet, Sum

from mailboxes.models import Mailbox
from sync.engine.records import DELIVERED
from sync.models import LEFT_OUT, NOT_READ, DeadLetter, LedgerEntry, MailboxItem, SyncedFolder, SyncRun
from sync.reporting.notable_runs import FAILED
from sync.reporting.progress import Progress, progress_of
from sync.reporting.status import JudgedMailbox, Status, StatusSummary, mailbox_standing, state_of, status_of

DAY = timedelta(hours=24)
SUMMED = ("created", "updated", "unchanged", "not_wanted")
"""The counts of a run that are summed up for each mailbox."""
AT_WORK = {Status.LISTING, Status.IN_PROGRESS, Status.WAITING, Status.HELD}
"""States with a progress bar. A first sync may also be paused, or wait in the queue between two time slices."""


@dataclass(frozen=True, slots=True)
class MailboxFigures:
    """The counts of one mailbox. The counts of the last 24 hours are from the runs that started in this time.

    Attributes:
        delivered: Mailbox items that are delivered.
        set_aside: Failed emails.
        created: Comments created in the last 24 hours.
        updated: Comments updated in the last 24 hours.
        unchanged: Emails that needed no push in the last 24 hours.
        not_wanted: Emails that the filters rejected in the last 24 hours.
        failed_at: Start of the last sync of the last 24 hours that failed or was lost, even if a later sync succeeded;
            None if there was none.
    """

    delivered: int = 0
    set_aside: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    not_wanted: int = 0
    failed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MailboxRow:
    """A mailbox as a row of a table.

    Attributes:
        mailbox: The mailbox.
        summary: Its status as text.
        figures: Its counts.
        synced_at: When its last complete sync ended, aware; None before the first one.
        synced_until: When the newest delivered email arrived, aware.
        progress: The progress of a first sync or full resync; None otherwise.
        left_out: Number of folders that cannot be read.
        not_read: Number of folders that are not read because of their class, or because they are hidden.
    """

    mailbox: Mailbox
    summary: StatusSummary
    figures: MailboxFigures
    synced_at: datetime | None
    synced_until: datetime | None = None
    progress: Progress | None = None
    left_out: int = 0
    not_read: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """The totals of the installation.

    Attributes:
        comments_day: Comments created in the last 24 hours, according to the confirmed and billed ledger entries.
        set_aside: Failed emails.
    """

    comments_day: int
    set_aside: int


def mailbox_rows(mailboxes: Sequence[JudgedMailbox], now: datetime) -> list[MailboxRow]:
    """Return the table rows of mailboxes. Runs eight queries at most, for any number of mailboxes.

    Args:
        mailboxes: The annotated mailboxes.
        now: Current time, aware.

    Returns:
        The rows, in the order of the mailboxes.
    """
    figures = mailbox_figures([mailbox.pk for mailbox in mailboxes], now)
    folders = {
        pk: (until, left_out, not_read)
        for pk, until, left_out, not_read in SyncedFolder.objects.filter(
            mailbox__in=[mailbox.pk for mailbox in mailboxes]
        )
        .order_by()
        .values_list("mailbox_id")
        .annotate(until=Max("synced_until"), count=Count("pk", filter=LEFT_OUT), not_read=Count("pk", filter=NOT_READ))
    }
    progress = progress_of([mailbox for mailbox in mailboxes if status_of(mailbox) in AT_WORK], now)
    return [
        _row(mailbox, figures[mailbox.pk], folders.get(mailbox.pk, (None, 0, 0)), progress.get(mailbox.pk), now)
        for mailbox in mailboxes
    ]


def _row(
    mailbox: JudgedMailbox,
    figures: MailboxFigures,
    folders: tuple[datetime | None, int, int],
    progress: Progress | None,
    now: datetime,
) -> MailboxRow:
    state = state_of(mailbox)
    if progress is not None and status_of(mailbox) is Status.HELD:
        progress = replace(progress, seconds_left=None)  # the end of the pause is unknown
    summary = mailbox_standing(mailbox, now, progress.label if progress else "")
    until, left_out, not_read = folders
    synced_at = state.synced_at if state else None
    return MailboxRow(mailbox, summary, figures, synced_at, until, progress, left_out, not_read)


def mailbox_figures(ids: Sequence[int], now: datetime) -> dict[int, MailboxFigures]:
    """Return the counts of mailboxes.

    Args:
        ids: Primary keys of the mailboxes.
        now: Current time, aware.

    Returns:
        The counts by primary key, with an entry for each of `ids`.
    """
    delivered = _by_mailbox(MailboxItem.objects.filter(mailbox__in=ids, verdict=DELIVERED))
    set_aside = _by_mailbox(DeadLetter.objects.waiting().filter(mailbox__in=ids))
    sums = {name: Sum(name) for name in SUMMED}
    runs: dict[int, dict[str, Any]] = {
        row["mailbox_id"]: dict(row)
        for row in SyncRun.objects.filter(mailbox__in=ids, started_at__gte=now - DAY)
        .order_by()
        .values("mailbox_id")
        .annotate(failed_at=Max("started_at", filter=FAILED), **sums)
    }
    return {
        pk: MailboxFigures(
            delivered.get(pk, 0),
            set_aside.get(pk, 0),
            **{name: runs[pk][name] if pk in runs else 0 for name in SUMMED},
            failed_at=runs[pk]["failed_at"] if pk in runs else None,
        )
        for pk in ids
    }


def delivered_by_folder(mailbox: Mailbox) -> dict[int, int]:
    """Count the delivered emails in each folder of a mailbox.

    Args:
        mailbox: The mailbox.

    Returns:
        The counts by primary key of the folder, without empty folders.
    """
    items = MailboxItem.objects.filter(mailbox=mailbox, verdict=DELIVERED).order_by()
    return dict(items.values_list("folder_id").annotate(Count("pk")))


def _by_mailbox(rows: QuerySet[MailboxItem] | QuerySet[DeadLetter]) -> dict[int, int]:
    return dict(rows.order_by().values_list("mailbox_id").annotate(Count("pk")))


def totals(now: datetime) -> Totals:
    """Return the totals of the installation.

    Args:
        now: Current time, aware.

    Returns:
        The comments created in the last 24 hours, and the failed emails.
    """
    billed = LedgerEntry.objects.filter(billed=True, state=LedgerEntry.State.CONFIRMED, created_at__gte=now - DAY)
    return Totals(comments_day=billed.count(), set_aside=DeadLetter.objects.waiting().count())
