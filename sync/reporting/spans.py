"""A day, a week, a month until now, cut into the steps of a chart: hours, quarters of a day, days. Pure.

Steps follow the clock on the wall of the time zone they are made in, also over the night in which it changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum
from itertools import pairwise


class Span(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    @property
    def step(self) -> str:
        """What one bar is, after "Emails per"."""
        return {Span.DAY: "hour", Span.WEEK: "6 hours", Span.MONTH: "day"}[self]

    @property
    def length(self) -> str:
        return {Span.DAY: "the last 24 hours", Span.WEEK: "the last 7 days", Span.MONTH: "the last 30 days"}[self]


@dataclass(frozen=True, slots=True)
class ChartStep:
    start: datetime
    end: datetime


def parse_span(text: str | None) -> Span:
    """A day, whenever it is none of the three."""
    return Span(text) if text in set(Span) else Span.DAY


def steps(span: Span, now: datetime, zone: tzinfo) -> list[ChartStep]:
    """In order; the last one holds now, but in a week, which ends with today."""
    starts = _hours(now) if span is Span.DAY else _wall_clock(span, now.astimezone(zone))
    return [ChartStep(start, end) for start, end in pairwise(starts)]


def place_of(moment: datetime, all_steps: Sequence[ChartStep]) -> int | None:
    """Which of these steps a moment falls into."""
    return next((place for place, step in enumerate(all_steps) if step.start <= moment < step.end), None)


def _hours(now: datetime) -> list[datetime]:
    # Activity is kept by hours of UTC: in a zone that is half an hour off, bars begin at half past.
    first = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=23)
    return [first + timedelta(hours=number) for number in range(25)]


def _wall_clock(span: Span, today: datetime) -> list[datetime]:
    days, hours = (7, (0, 6, 12, 18)) if span is Span.WEEK else (30, (0,))
    first = today.date() - timedelta(days=days - 1)
    starts = [
        datetime.combine(first + timedelta(days=day), time(hour), today.tzinfo) for day in range(days) for hour in hours
    ]
    # In UTC, because the subtraction and comparison of two times of one zone would ignore that its clock was changed.
    return [
        at.astimezone(UTC) for at in [*starts, datetime.combine(today.date() + timedelta(days=1), time(), today.tzinfo)]
    ]
