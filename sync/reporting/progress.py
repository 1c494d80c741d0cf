"""Compute the progress of a first sync or a full resync, and the time left. Read-only.

- First sync: every processed item gets a `MailboxItem` row, even if the filters reject the item. So the progress is the number
  of these rows, out of the number of items that Exchange reports for the folders.
- Full resync (requested by an admin, or caused by changed filters): the rows exist already. So the progress is the larger
  of two numbers: the items of the folders that are up to date again, and the emails that the runs since the last complete
  sync counted.

This module also counts the folders that were read to their end in the current pass: see `sync.engine.folder_order`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Case, Count, Q, QuerySet, Sum, Value, When

from mailboxes.models import Mailbox
from sync.engine.filter_digest import wanted_digest
from sync.models import MailboxItem, SyncedFolder, SyncRun
from sync.reporting.status import state_of

RECENT = timedelta(hours=1)
"""The speed of a mailbox is computed from its runs of this period."""
LEAST_SECONDS = 3.0
"""The shortest total run time, in seconds, from which a speed is computed."""
WORK = ("created", "updated", "unchanged", "not_wanted", "set_aside")
"""The counts of a run that add up to the processed emails."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of one mailbox.

    Attributes:
        done: Emails that are processed: delivered, rejected or failed.
        of: All items that Exchange counts in the folders.
        seconds_left: Estimated run time left, in seconds; None if the speed is unknown.
    """

    done: int
    of: int
    seconds_left: float | None = None

    @property
    def label(self) -> str:
        """The progress as text."""
        return f"Working through {self.done:,} of {self.of:,}"

    @property
    def time_left(self) -> str:
        """The time left as text, for example "about 4 min left"; empty if unknown."""
        return "" if self.seconds_left is None else f"{_about(self.seconds_left)} left"


@dataclass(slots=True)
class _Folders:
    """The folders of one mailbox.

    Attributes:
        total: Number of items.
        up_to_date: Number of items in the folders that are up to date with the current filters.
        relisting: Whether at least one folder that was listed before is being listed again, or has to be.
    """

    total: int = 0
    up_to_date: int = 0
    relisting: bool = False


def progress_of(mailboxes: Sequence[Mailbox], now: datetime) -> dict[int, Progress]:
    """Return the progress of the mailboxes that are in their first sync or a full resync. Runs at most four queries.

    Args:
        mailboxes: The mailboxes to check, with their states.
        now: Current time, aware.

    Returns:
        The progress by primary key of the mailbox.
    """
    behind = [mailbox for mailbox in mailboxes if (state := state_of(mailbox)) is not None and not state.up_to_date]
    if not behind:
        return {}
    since = {mailbox.pk: state.synced_at for mailbox in behind if (state := state_of(mailbox)) is not None}
    folders = _folders(behind)
    runs = _Runs(since, now)
    new = [pk for pk, synced_at in since.items() if synced_at is None]
    known = dict(MailboxItem.objects.filter(mailbox__in=new).order_by().values_list("mailbox_id").annotate(Count("pk")))
    progress = {}
    for pk, of in folders.items():
        done = known.get(pk, 0) if pk in new else _resynced(of, runs.work.get(pk, 0))
        if done is not None:
            progress[pk] = _progress(min(done, of.total), of.total, runs.speed(pk))
    return progress


def _resynced(of: _Folders, work: int) -> int | None:
    """Return how many emails a full resync has processed; None if the mailbox only syncs new mail."""
    return max(of.up_to_date, work) if of.relisting else None


def _folders(mailboxes: Sequence[Mailbox]) -> Mapping[int, _Folders]:
    """Return the folders by primary key of the mailbox. Mailboxes without any counted folder are omitted."""
    digests = {one.pk: _digest(one) for one in mailboxes}
    rows = _readable(mailbox__in=digests).filter(total__isnull=False).order_by()
    listed = Case(
        When(~Q(cursor=""), then=Value("now")), When(synced_at=None, then=Value("never")), default=Value("once")
    )
    folders: dict[int, _Folders] = {}
    for pk, digest, up_to_date, listing, listed_, total in (
        rows.annotate(listed=listed)
        .values_list("mailbox_id", "wanted_digest", "up_to_date", "listing", "listed")
        .annotate(Sum("total"))
    ):
        of = folders.setdefault(pk, _Folders())
        of.total += total
        if listing or listed_ == "once" or (listed_ == "now" and digest != digests[pk]):
            of.relisting = True
        elif up_to_date:
            of.up_to_date += total
    return folders


def _readable(**of: object) -> QuerySet[SyncedFolder]:
    """Return the folders that a sync reads. Alerts report the folders that cannot be read."""
    return SyncedFolder.objects.filter(gone=False, holds_mail=True, refused_since=None, **of)


def _digest(mailbox: Mailbox) -> str:
    return wanted_digest(mailbox.rules(), bucket=f"{mailbox.bucket_id}", address=mailbox.address)


@dataclass(frozen=True, slots=True)
class Pass:
    """The current pass of a mailbox over its folders.

    Attributes:
        done: Folders that were read to their end with the current filters since the pass began.
        of: All folders that a sync reads.
    """

    done: int
    of: int

    @property
    def sentence(self) -> str:
        """The progress of the pass as text."""
        return f"Folders: {self.done:,} of {self.of:,} in this pass."


def pass_of(mailbox: Mailbox) -> Pass | None:
    """Return the current pass of a mailbox. Runs at most one query.

    Args:
        mailbox: The mailbox, with its integration and state.

    Returns:
        The pass; None if the mailbox is stopped or up to date, or its folders are not known yet.
    """
    state = state_of(mailbox)
    if state is None or state.up_to_date or not (mailbox.enabled and mailbox.integration.enabled):
        return None
    is_done = Q(up_to_date=True, turn__gte=state.pass_began, wanted_digest=_digest(mailbox))
    found = _readable(mailbox=mailbox).aggregate(done=Count("pk", filter=is_done), of=Count("pk"))
    return Pass(**found) if found["of"] else None


class _Runs:
    """The emails that the runs of each mailbox processed since its last complete sync, and the speed of each mailbox."""

    def __init__(self, since: Mapping[int, datetime | None], now: datetime) -> None:
        self.work: dict[int, int] = {}
        self._recent: dict[int, int] = {}
        self._seconds: dict[int, float] = {}
        runs = SyncRun.objects.filter(_began_after(since.items(), now)).order_by()
        for pk, start, end, *counts in runs.values_list("mailbox_id", "started_at", "ended_at", *WORK):
            self.work[pk] = self.work.get(pk, 0) + sum(counts)
            if start >= now - RECENT:
                self._recent[pk] = self._recent.get(pk, 0) + sum(counts)
                self._seconds[pk] = self._seconds.get(pk, 0.0) + ((end or now) - start).total_seconds()

    def speed(self, pk: int) -> float | None:
        """Return the speed of a mailbox.

        Args:
            pk: Primary key of the mailbox.

        Returns:
            Emails per second; None if the runs of the last hour were too short to measure, or processed no email.
        """
        done, seconds = self._recent.get(pk, 0), self._seconds.get(pk, 0.0)
        return done / seconds if done and seconds >= LEAST_SECONDS else None


def _began_after(since: Iterable[tuple[int, datetime | None]], now: datetime) -> Q:
    """Return the condition for the runs since the last complete sync of each mailbox.

    For a first sync, the runs of the last hour are enough, because its progress is the number of `MailboxItem` rows.
    """
    condition = Q(pk__in=())
    for pk, synced_at in since:
        condition |= Q(mailbox=pk, started_at__gte=synced_at or now - RECENT)
    return condition


def _progress(done: int, total: int, speed: float | None) -> Progress:
    return Progress(done, total, (total - done) / speed if speed else None)


def _about(seconds: float) -> str:
    if seconds < 60:
        return "less than a minute"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"about {minutes} min"
    hours = round(minutes / 60)
    return f"about {hours} h" if hours < 48 else f"about {round(hours / 24)} days"
