"""Divide the last day, week or month into the steps of a chart: hours, quarters of a day, days. Pure functions.

The steps of a week and a month follow the local time of the given time zone, also across a daylight saving change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum
from itertools import pairwise


class Span(StrEnum):
    """The period that a chart shows."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    @property
    def step(self) -> str:
        """The period of one bar, for use after "Emails per"."""
        return {Span.DAY: "hour", Span.WEEK: "6 hours", Span.MONTH: "day"}[self]

    @property
    def length(self) -> str:
        """The period as text, for example "the last 24 hours"."""
        return {Span.DAY: "the last 24 hours", Span.WEEK: "the last 7 days", Span.MONTH: "the last 30 days"}[self]


@dataclass(frozen=True, slots=True)
class ChartStep:
    """The period of one bar, from `start` (inclusive) to `end` (exclusive). Both are aware."""

    start: datetime
    end: datetime


def parse_span(text: str | None) -> Span:
    """Return the span that a page shows.

    Args:
        text: The value of the query parameter.

    Returns:
        The span; `Span.DAY` if the value is missing or unknown.
    """
    return Span(text) if text in set(Span) else Span.DAY


def steps(span: Span, now: datetime, zone: tzinfo) -> list[ChartStep]:
    """Divide a span into steps.

    Args:
        span: The period.
        now: Current time, aware.
        zone: The time zone of the steps of a week or month. The steps of a day are UTC hours.

    Returns:
        The steps in order. A day ends with the current hour, a week and a month end with today.
    """
    starts = _hours(now) if span is Span.DAY else _wall_clock(span, now.astimezone(zone))
    return [ChartStep(start, end) for start, end in pairwise(starts)]


def step_index(moment: datetime, all_steps: Sequence[ChartStep]) -> int | None:
    """Return the index of the step that contains a moment.

    Args:
        moment: The moment, aware.
        all_steps: The steps in order.

    Returns:
        The index; None if no step contains the moment.
    """
    return next((index for index, step in enumerate(all_steps) if step.start <= moment < step.end), None)


def _hours(now: datetime) -> list[datetime]:
    # Activity is stored by UTC hour. In a time zone with an offset of half an hour, the bars begin at half past.
    first = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=23)
    return [first + timedelta(hours=number) for number in range(25)]


def _wall_clock(span: Span, today: datetime) -> list[datetime]:
    days, hours = (7, (0, 6, 12, 18)) if span is Span.WEEK else (30, (0,))
    first = today.date() - timedelta(days=days - 1)
    starts = [
        datetime.combine(first + timedelta(days=day), time(hour), today.tzinfo) for day in range(days) for hour in hours
    ]
    # Return UTC times, because Python ignores a daylight saving change between two times with the same tzinfo.
    return [
        at.astimezone(UTC) for at in [*starts, datetime.combine(today.date() + timedelta(days=1), time(), today.tzinfo)]
    ]
