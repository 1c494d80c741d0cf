"""How far a mailbox is that is synced for the first time or listed again, and how long it will still take. Read only.

On a first sync every item of a folder leaves a copy, whatever was decided on it: so the copies that we know, of the items
that Exchange counted when it told its folders, are the part that is done. When it is listed again, since somebody asked
for it or wants other mail, the copies are there already: then it is the folders that are through once more, or what the
runs since the last whole sync counted, whichever is more.

Beside it, how many folders were read to their end in the pass in hand: see `sync.engine.folder_order`.
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
"""Runs of this time tell how fast a mailbox goes."""
LEAST_SECONDS = 3.0
"""A shorter time at work says nothing about speed."""
WORK = ("created", "updated", "unchanged", "not_wanted", "set_aside")
"""What a run counts of the emails that it is through with."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Emails that are done, delivered or turned away, of how many, and the seconds of work left, when that can be told."""

    done: int
    of: int
    seconds_left: float | None = None

    @property
    def label(self) -> str:
        return f"Working through {self.done:,} of {self.of:,}"

    @property
    def time_left(self) -> str:
        """As in "about 4 min left"; nothing while nobody knows."""
        return "" if self.seconds_left is None else f"{_about(self.seconds_left)} left"


@dataclass(slots=True)
class _Folders:
    """Items in the folders of one mailbox."""

    total: int = 0
    through: int = 0
    """In those that are up to date with what is wanted now."""
    listed_again: bool = False
    """Whether any of them was listed once and has to be listed anew, or is being listed."""


def progress_of(mailboxes: Sequence[Mailbox], now: datetime) -> dict[int, Progress]:
    """By primary key, of those of these mailboxes that are in their first sync or listed again. At most four queries."""
    behind = [mailbox for mailbox in mailboxes if (state := state_of(mailbox)) is not None and not state.up_to_date]
    if not behind:
        return {}
    since = {mailbox.pk: state.synced_at for mailbox in behind if (state := state_of(mailbox)) is not None}
    folders = _folders(behind)
    runs = _Runs(since, now)
    new = [pk for pk, synced_at in since.items() if synced_at is None]
    known = dict(MailboxItem.objects.filter(mailbox__in=new).order_by().values_list("mailbox_id").annotate(Count("pk")))
    found = {}
    for pk, of in folders.items():
        done = known.get(pk, 0) if pk in new else _done_again(of, runs.work.get(pk, 0))
        if done is not None:
            found[pk] = _progress(min(done, of.total), of.total, runs.speed(pk))
    return found


def _done_again(of: _Folders, work: int) -> int | None:
    """None where it is not listed again, but only has new mail to catch up with."""
    return max(of.through, work) if of.listed_again else None


def _folders(mailboxes: Sequence[Mailbox]) -> Mapping[int, _Folders]:
    """Without the mailboxes of which Exchange has not counted any folder yet."""
    digests = {one.pk: _digest(one) for one in mailboxes}
    rows = _readable(mailbox__in=digests).filter(total__isnull=False).order_by()
    listed = Case(
        When(~Q(cursor=""), then=Value("now")), When(synced_at=None, then=Value("never")), default=Value("once")
    )
    found: dict[int, _Folders] = {}
    for pk, digest, through, listing, listed_, total in (
        rows.annotate(listed=listed)
        .values_list("mailbox_id", "wanted_digest", "up_to_date", "listing", "listed")
        .annotate(Sum("total"))
    ):
        of = found.setdefault(pk, _Folders())
        of.total += total
        if listing or listed_ == "once" or (listed_ == "now" and digest != digests[pk]):
            of.listed_again = True
        elif through:
            of.through += total
    return found


def _readable(**of: object) -> QuerySet[SyncedFolder]:
    """The folders that a sync works through: what cannot be read is told of by itself."""
    return SyncedFolder.objects.filter(gone=False, holds_mail=True, refused_since=None, **of)


def _digest(mailbox: Mailbox) -> str:
    return wanted_digest(mailbox.rules(), bucket=f"{mailbox.bucket_id}", address=mailbox.address)


@dataclass(frozen=True, slots=True)
class Pass:
    """The pass over its folders that a mailbox is in."""

    done: int
    """Folders that were read to their end since it began, for what is wanted now."""
    of: int

    @property
    def sentence(self) -> str:
        return f"Folders: {self.done:,} of {self.of:,} in this pass."


def pass_of(mailbox: Mailbox) -> Pass | None:
    """None of a mailbox that is stopped, or up to date, or whose folders are not known yet. At most one query."""
    state = state_of(mailbox)
    if state is None or state.up_to_date or not (mailbox.enabled and mailbox.integration.enabled):
        return None
    is_done = Q(up_to_date=True, turn__gte=state.pass_began, wanted_digest=_digest(mailbox))
    found = _readable(mailbox=mailbox).aggregate(done=Count("pk", filter=is_done), of=Count("pk"))
    return Pass(**found) if found["of"] else None


class _Runs:
    """What the runs of these mailboxes worked through since each last came to its end."""

    def __init__(self, since: Mapping[int, datetime | None], now: datetime) -> None:
        self.work: dict[int, int] = {}
        self._lately: dict[int, int] = {}
        self._seconds: dict[int, float] = {}
        runs = SyncRun.objects.filter(_began_after(since.items(), now)).order_by()
        for pk, start, end, *counts in runs.values_list("mailbox_id", "started_at", "ended_at", *WORK):
            self.work[pk] = self.work.get(pk, 0) + sum(counts)
            if start >= now - RECENT:
                self._lately[pk] = self._lately.get(pk, 0) + sum(counts)
                self._seconds[pk] = self._seconds.get(pk, 0.0) + ((end or now) - start).total_seconds()

    def speed(self, pk: int) -> float | None:
        """Emails a second, of a mailbox that worked long enough to tell."""
        done, seconds = self._lately.get(pk, 0), self._seconds.get(pk, 0.0)
        return done / seconds if done and seconds >= LEAST_SECONDS else None


def _began_after(since: Iterable[tuple[int, datetime | None]], now: datetime) -> Q:
    """Runs of a mailbox since that time; of a first sync those of the last hour, since its copies tell what was done."""
    found = Q(pk__in=())
    for pk, synced_at in since:
        found |= Q(mailbox=pk, started_at__gte=synced_at or now - RECENT)
    return found


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
