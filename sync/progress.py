"""How far the first sync of a mailbox is, and how long it will still take. Read only.

Every item of a folder leaves a copy, whatever was decided on it: so the copies that we know, of the items that Exchange
counted when it told its folders, are the part that is done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Sum

from mailboxes.models import Mailbox
from sync.models import Copy, SyncedFolder, SyncRun
from sync.status import state_of

RECENT = timedelta(hours=1)
"""Runs of this time tell how fast a mailbox goes."""
LEAST_SECONDS = 3.0
"""A shorter time at work says nothing about speed."""
WORK = ("created", "updated", "unchanged", "not_wanted", "set_aside")
"""What a run counts of the emails that it is through with."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Of a first sync: emails that are done, of how many, and the seconds of work left, when that can be told."""

    done: int
    of: int
    seconds_left: float | None = None

    @property
    def label(self) -> str:
        return f"Delivering {self.done:,} of {self.of:,}" if self.done else "Listing"

    @property
    def time_left(self) -> str:
        """As in "about 4 min left"; nothing while nobody knows."""
        return "" if self.seconds_left is None else f"{_about(self.seconds_left)} left"


def progress_of(mailboxes: Sequence[Mailbox], now: datetime) -> dict[int, Progress]:
    """By primary key, of those of these mailboxes that have not been through once and have begun. At most three queries."""
    ids = [mailbox.pk for mailbox in mailboxes if _is_new(mailbox)]
    if not ids:
        return {}
    totals = _totals(ids)
    known = dict(Copy.objects.filter(mailbox__in=ids).order_by().values_list("mailbox_id").annotate(Count("pk")))
    speeds = _speeds(ids, now)
    return {pk: _progress(min(known.get(pk, 0), total), total, speeds.get(pk)) for pk, total in totals.items()}


def _is_new(mailbox: Mailbox) -> bool:
    state = state_of(mailbox)
    return state is not None and state.synced_at is None


def _totals(ids: Sequence[int]) -> Mapping[int, int]:
    folders = SyncedFolder.objects.filter(mailbox__in=ids, gone=False, holds_mail=True, total__isnull=False)
    return dict(folders.order_by().values_list("mailbox_id").annotate(Sum("total")))


def _speeds(ids: Sequence[int], now: datetime) -> Mapping[int, float]:
    """Emails a second, of each mailbox that worked long enough to tell."""
    done: dict[int, int] = {}
    seconds: dict[int, float] = {}
    runs = SyncRun.objects.filter(mailbox__in=ids, started_at__gte=now - RECENT).order_by()
    for mailbox, start, end, *counts in runs.values_list("mailbox_id", "started_at", "ended_at", *WORK):
        done[mailbox] = done.get(mailbox, 0) + sum(counts)
        seconds[mailbox] = seconds.get(mailbox, 0.0) + ((end or now) - start).total_seconds()
    return {pk: done[pk] / seconds[pk] for pk in done if done[pk] and seconds[pk] >= LEAST_SECONDS}


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
