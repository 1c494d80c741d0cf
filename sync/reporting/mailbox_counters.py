"""The numbers on the pages: what was delivered, what was set aside, what it cost. Read only."""

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
"""What is summed up of the runs of a mailbox."""
AT_WORK = {Status.LISTING, Status.IN_PROGRESS, Status.WAITING, Status.HELD}
"""A backfill waits its turn between two slices of time, and at times it is held: how far it is stays to be seen."""


@dataclass(frozen=True, slots=True)
class MailboxFigures:
    """Of one mailbox: what it delivered so far, what is set aside, and what its runs counted in the last 24 hours."""

    delivered: int = 0
    set_aside: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    not_wanted: int = 0
    failed_at: datetime | None = None
    """When a sync of these hours last failed, whatever came after it."""


@dataclass(frozen=True, slots=True)
class MailboxRow:
    """A mailbox as a row of a table: itself, its state in words, its figures."""

    mailbox: Mailbox
    standing: StatusSummary
    figures: MailboxFigures
    synced_at: datetime | None
    synced_until: datetime | None = None
    """When the newest email arrived that was delivered."""
    progress: Progress | None = None
    """While it is synced for the first time, or listed again."""
    left_out: int = 0
    """Folders that cannot be read."""
    not_read: int = 0
    """Folders that are not read because of their class, or because they are hidden."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Of the whole installation. AI units are counted from confirmed creates."""

    comments_day: int
    set_aside: int


def mailbox_rows(mailboxes: Sequence[JudgedMailbox], now: datetime) -> list[MailboxRow]:
    """For these mailboxes, in their order. Eight queries at most, however many there are."""
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
    begun = progress_of([mailbox for mailbox in mailboxes if status_of(mailbox) in AT_WORK], now)
    return [
        _row(mailbox, figures[mailbox.pk], folders.get(mailbox.pk, (None, 0, 0)), begun.get(mailbox.pk), now)
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
        progress = replace(progress, seconds_left=None)  # nobody knows while it stands still
    standing = mailbox_standing(mailbox, now, progress.label if progress else "")
    until, left_out, not_read = folders
    synced_at = state.synced_at if state else None
    return MailboxRow(mailbox, standing, figures, synced_at, until, progress, left_out, not_read)


def mailbox_figures(ids: Sequence[int], now: datetime) -> dict[int, MailboxFigures]:
    """By the primary key of the mailbox; every one of `ids` is in it."""
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
    """How many delivered emails lie in each folder of a mailbox, by the primary key of the folder."""
    copies = MailboxItem.objects.filter(mailbox=mailbox, verdict=DELIVERED).order_by()
    return dict(copies.values_list("folder_id").annotate(Count("pk")))


def _by_mailbox(rows: QuerySet[MailboxItem] | QuerySet[DeadLetter]) -> dict[int, int]:
    return dict(rows.order_by().values_list("mailbox_id").annotate(Count("pk")))


def totals(now: datetime) -> Totals:
    """Comments created in the last 24 hours, emails set aside."""
    billed = LedgerEntry.objects.filter(billed=True, state=LedgerEntry.State.CONFIRMED, created_at__gte=now - DAY)
    return Totals(comments_day=billed.count(), set_aside=DeadLetter.objects.waiting().count())
