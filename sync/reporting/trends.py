"""The charts of the overview: what was moved over a day, a week or a month, how long new email waited, what it cost.

One query for both charts and one for the costs: each reads at most the hours of a month, or the entries of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.formats import date_format

from mailboxes.models import Bucket
from sync.engine.latency import longer
from sync.jobs.budget import WARN_AT, month_start
from sync.models import Activity, LedgerEntry
from sync.reporting import charts
from sync.reporting.spans import ChartStep, Span, place_of, steps
from sync.reporting.status import Tone
from sync.reporting.wording.counts import thousands
from sync.reporting.wording.moments import exactly, lasting, round_length

SHOWN = 8
"""Buckets with a line of their own; the others share one."""


@dataclass(frozen=True, slots=True)
class MailTally:
    """What was moved in the hour, or in the step of a chart, that began then."""

    start: datetime
    created: int = 0
    updated: int = 0
    set_aside: int = 0
    longest_wait: int | None = None

    @property
    def emails(self) -> int:
        return self.created + self.updated


@dataclass(frozen=True, slots=True)
class Hover:
    """Where a pointer finds a value, and what it is in words."""

    place: charts.Box
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What `components/chart.html` draws. A series is a name for its colour and the data of its path."""

    series: list[tuple[str, str]]
    hovers: list[Hover]
    scale: list[str]
    """Its end, its middle and its beginning."""
    axis: list[str]
    """Each for the same number of values."""


@dataclass(frozen=True, slots=True)
class Trends:
    span: Span
    emails: Chart
    delay: Chart
    rows: list[tuple[str, MailTally]]
    total: MailTally
    busiest: MailTally | None
    """The hour that moved most; None when nothing was moved."""
    slowest: MailTally | None
    """The hour in which an email had waited longest."""

    @property
    def emails_described(self) -> str:
        if self.busiest is None:
            return f"No email was moved in {self.span.length}."
        counted = f"{thousands(self.total.created)} new and {thousands(self.total.updated)} updated"
        return (
            f"{counted} in {self.span.length}. Busiest hour: {thousands(self.busiest.emails)}, {_from(self.busiest)}."
        )

    @property
    def delay_described(self) -> str:
        what = "How long the slowest new email took from its arrival in Exchange to Re:infer."
        if self.slowest is None:
            return f"{what} None arrived since its mailbox was first in sync."
        return f"{what} Longest: {lasting(self.slowest.longest_wait)}, {_from(self.slowest)}."


@dataclass(frozen=True, slots=True)
class BucketUnits:
    """AI units of this month; `bucket` is None for those that share a line."""

    bucket: Bucket | None
    units: int
    width: float
    """Of its bar, in hundredths: of its limit, or of the longest where it has none."""
    others: int = 0

    @property
    def percent(self) -> int | None:
        """Of its limit; None without one."""
        limit = self.bucket.monthly_limit if self.bucket is not None else None
        if limit is None:
            return None
        return self.units * 100 // limit if limit else 100

    @property
    def tone(self) -> Tone | None:
        if self.percent is None:
            return None
        return Tone.BAD if self.percent >= 100 else Tone.WARN if self.percent >= WARN_AT * 100 else Tone.OK


def trends(span: Span, now: datetime) -> Trends:
    all_steps = steps(span, now, timezone.get_current_timezone())
    hours = _hours(all_steps[0].start)
    tallies = _fold(hours, all_steps)
    labels = [_label(span, step) for step in all_steps]
    axis = [_mark(span, step) for step in all_steps[:: _marked_every(span)]]
    waited = [hour for hour in hours if hour.longest_wait is not None]
    return Trends(
        span=span,
        emails=_emails(tallies, labels, axis),
        delay=_delay(tallies, labels, axis),
        rows=list(zip(labels, tallies, strict=True)),
        total=_sum(hours, now),
        busiest=max(hours, key=lambda hour: hour.emails, default=None),
        slowest=max(waited, key=lambda hour: hour.longest_wait or 0, default=None),
    )


def units_by_bucket(now: datetime) -> list[BucketUnits]:
    """Most first, as the ledger has them: every comment that we created, and was acknowledged, this month."""
    found = with_units(Bucket.objects.select_related("destination"), now)
    lines = [BucketUnits(row, row.units, 0) for row in found.order_by("-units", "project", "name")]
    if len(lines) > SHOWN:
        rest = lines[SHOWN - 1 :]
        lines = [*lines[: SHOWN - 1], BucketUnits(None, sum(line.units for line in rest), 0, others=len(rest))]
    most = max((line.units for line in lines), default=0)
    return [replace(line, width=_width(line, most)) for line in lines]


def _width(line: BucketUnits, most: int) -> float:
    if line.percent is not None:
        return min(line.percent, 100)
    return round(100 * line.units / most, 1) if most else 0


def with_units(buckets: QuerySet[Bucket], now: datetime) -> QuerySet[Any]:
    """These buckets, each annotated with `units`: the AI units of this month."""
    entries = LedgerEntry.objects.filter(
        bucket=OuterRef("pk"), billed=True, state=LedgerEntry.State.CONFIRMED, created_at__gte=month_start(now)
    )
    count = entries.order_by().values("bucket").annotate(count=Count("*")).values("count")
    return buckets.annotate(units=Coalesce(Subquery(count), 0))


def _hours(start: datetime) -> list[MailTally]:
    rows = Activity.objects.filter(hour__gte=start).order_by("hour").values("hour")
    sums = rows.annotate(
        new=Sum("created"), changed=Sum("updated"), aside=Sum("set_aside"), wait=Max("longest_wait")
    ).values_list("hour", "new", "changed", "aside", "wait")
    return [MailTally(*row) for row in sums]


def _fold(hours: Iterable[MailTally], all_steps: Sequence[ChartStep]) -> list[MailTally]:
    """The hours that fall into each step, added up."""
    within: list[list[MailTally]] = [[] for _ in all_steps]
    for hour in hours:
        place = place_of(hour.start, all_steps)
        if place is not None:
            within[place].append(hour)
    return [_sum(tallies, step.start) for tallies, step in zip(within, all_steps, strict=True)]


def _sum(tallies: Sequence[MailTally], start: datetime) -> MailTally:
    wait: int | None = None
    for tally in tallies:
        wait = longer(wait, tally.longest_wait)
    return MailTally(
        start,
        created=sum(tally.created for tally in tallies),
        updated=sum(tally.updated for tally in tallies),
        set_aside=sum(tally.set_aside for tally in tallies),
        longest_wait=wait,
    )


def _emails(tallies: Sequence[MailTally], labels: Sequence[str], axis: list[str]) -> Chart:
    top = charts.count_top(max(tally.emails for tally in tallies))
    new, updated = charts.stacked([[tally.created for tally in tallies], [tally.updated for tally in tallies]], top)
    series = [("new", charts.outline(new)), ("updated", charts.outline(updated))]
    words = [f"{thousands(tally.created)} new, {thousands(tally.updated)} updated" for tally in tallies]
    scale = [thousands(top), thousands(top // 2), "0"]
    return Chart(series, _hovers(labels, words), scale, axis)


def _delay(tallies: Sequence[MailTally], labels: Sequence[str], axis: list[str]) -> Chart:
    # A wait of nothing is a wait: it is drawn, where an hour without new email has no bar.
    waits = [0 if tally.longest_wait is None else max(tally.longest_wait, 0.1) for tally in tallies]
    top = charts.seconds_top(max(waits))
    (delay,) = charts.stacked([waits], top)
    words = ["no new email" if tally.longest_wait is None else lasting(tally.longest_wait) for tally in tallies]
    scale = [round_length(top), round_length(top / 2), "0"]
    return Chart([("delay", charts.outline(delay))], _hovers(labels, words), scale, axis)


def _hovers(labels: Sequence[str], words: Sequence[str]) -> list[Hover]:
    places = charts.places(len(labels))
    return [Hover(place, f"{label}: {text}") for place, label, text in zip(places, labels, words, strict=True)]


def _from(hour: MailTally) -> str:
    return f"in the hour from {exactly(hour.start)}"


def _marked_every(span: Span) -> int:
    """How many bars stand above one mark of the x axis: they must share it evenly."""
    return {Span.DAY: 6, Span.WEEK: 4, Span.MONTH: 6}[span]


def _mark(span: Span, step: ChartStep) -> str:
    return date_format(timezone.localtime(step.start), {Span.DAY: "H:i", Span.WEEK: "D", Span.MONTH: "j M"}[span])


def _label(span: Span, step: ChartStep) -> str:
    start, end = timezone.localtime(step.start), timezone.localtime(step.end)
    if span is Span.MONTH:
        return date_format(start, "D j M")
    return f"{date_format(start, 'D j M, H:i')}–{date_format(end, 'H:i')}"
