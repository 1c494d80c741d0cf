"""The charts of the overview: pushed emails and latency over a day, a week or a month, and the AI units of this month.

One query reads the hourly counts of the charts, at most a month of them. One query counts the ledger entries of this
month.
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
from sync.reporting.spans import ChartStep, Span, step_index, steps
from sync.reporting.status import Tone
from sync.reporting.wording.counts import thousands
from sync.reporting.wording.moments import exactly, lasting, round_length

SHOWN = 8
"""Maximum number of lines in the list of buckets. If there are more buckets, the last line sums up the remaining ones."""


@dataclass(frozen=True, slots=True)
class MailTally:
    """The counts of one hour, or of one step of a chart.

    Attributes:
        start: Start of the hour or step, aware.
        created: Comments created.
        updated: Comments updated.
        set_aside: Failed emails.
        longest_wait: Longest latency of a new email, in seconds; None if no new email arrived.
    """

    start: datetime
    created: int = 0
    updated: int = 0
    set_aside: int = 0
    longest_wait: int | None = None

    @property
    def emails(self) -> int:
        """The number of created and updated comments."""
        return self.created + self.updated


@dataclass(frozen=True, slots=True)
class Hover:
    """The hover area of a value, and its tooltip."""

    place: charts.Box
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """The content of `components/chart.html`.

    Attributes:
        series: For each series, the name of its colour and the data of its SVG path.
        hovers: One hover area for each value.
        scale: Labels of the y axis: upper end, middle, lower end.
        axis: Labels of the x axis, each for the same number of values.
    """

    series: list[tuple[str, str]]
    hovers: list[Hover]
    scale: list[str]
    axis: list[str]


@dataclass(frozen=True, slots=True)
class Trends:
    """The charts of the overview and their numbers.

    Attributes:
        span: The period.
        emails: Chart of created and updated comments.
        delay: Chart of the longest latency.
        rows: Label and counts of each step, for a table.
        total: The sum over the period.
        busiest: The hour with most emails; None if no counts are stored for the period.
        slowest: The hour with the longest latency; None if no new email arrived.
    """

    span: Span
    emails: Chart
    delay: Chart
    rows: list[tuple[str, MailTally]]
    total: MailTally
    busiest: MailTally | None
    slowest: MailTally | None

    @property
    def emails_described(self) -> str:
        """The chart of emails as a sentence."""
        if self.busiest is None:
            return f"No email was pushed in {self.span.length}."
        counted = f"{thousands(self.total.created)} new and {thousands(self.total.updated)} updated"
        return (
            f"{counted} in {self.span.length}. Busiest hour: {thousands(self.busiest.emails)}, {_from(self.busiest)}."
        )

    @property
    def delay_described(self) -> str:
        """The chart of the latency as a sentence."""
        what = "Time from the arrival of the slowest new email in Exchange to its comment in Re:infer."
        if self.slowest is None:
            return f"{what} No new email arrived in {self.span.length}. Emails before the first complete sync do not count."
        return f"{what} Longest: {lasting(self.slowest.longest_wait)}, {_from(self.slowest)}."


@dataclass(frozen=True, slots=True)
class BucketUnits:
    """The AI units of a bucket in this month, or the sum of several buckets that share a line.

    Attributes:
        bucket: The bucket; None for a shared line.
        units: AI units of this month.
        width: Length of the bar, in percent of the limit. Without a limit: in percent of the largest number of AI units
            among all lines.
        others: Number of buckets of a shared line; 0 for a line of one bucket.
    """

    bucket: Bucket | None
    units: int
    width: float
    others: int = 0

    @property
    def percent(self) -> int | None:
        """The used percentage of the monthly limit; None without a limit."""
        limit = self.bucket.monthly_limit if self.bucket is not None else None
        if limit is None:
            return None
        return self.units * 100 // limit if limit else 100

    @property
    def tone(self) -> Tone | None:
        """The severity according to the used percentage; None without a limit."""
        if self.percent is None:
            return None
        return Tone.BAD if self.percent >= 100 else Tone.WARN if self.percent >= WARN_AT * 100 else Tone.OK


def trends(span: Span, now: datetime) -> Trends:
    """Return the charts of the overview, in the current time zone.

    Args:
        span: The period.
        now: Current time, aware.

    Returns:
        The charts and their numbers.
    """
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
    """Return the AI units of this month by bucket.

    According to the ledger, one AI unit is counted for each comment that this product created and Re:infer acknowledged.

    Args:
        now: Current time, aware.

    Returns:
        At most `SHOWN` lines, most AI units first. With more buckets, the last line is the sum of the rest.
    """
    found = with_units(Bucket.objects.select_related("destination"), now)
    lines = [BucketUnits(row, row.units, 0) for row in found.order_by("-units", "project", "name")]
    if len(lines) > SHOWN:
        others = lines[SHOWN - 1 :]
        lines = [*lines[: SHOWN - 1], BucketUnits(None, sum(line.units for line in others), 0, others=len(others))]
    most = max((line.units for line in lines), default=0)
    return [replace(line, width=_width(line, most)) for line in lines]


def _width(line: BucketUnits, most: int) -> float:
    if line.percent is not None:
        return min(line.percent, 100)
    return round(100 * line.units / most, 1) if most else 0


def with_units(buckets: QuerySet[Bucket], now: datetime) -> QuerySet[Any]:
    """Annotate each bucket with `units`: its AI units of this month.

    Args:
        buckets: The buckets.
        now: Current time, aware.

    Returns:
        The same buckets with the annotation.
    """
    entries = LedgerEntry.objects.filter(
        bucket=OuterRef("pk"), billed=True, state=LedgerEntry.State.CONFIRMED, created_at__gte=month_start(now)
    )
    count = entries.order_by().values("bucket").annotate(count=Count("*")).values("count")
    return buckets.annotate(units=Coalesce(Subquery(count), 0))


def _hours(start: datetime) -> list[MailTally]:
    rows = Activity.objects.filter(hour__gte=start).order_by("hour").values("hour")
    sums = rows.annotate(
        new=Sum("created"), changed=Sum("updated"), failed=Sum("set_aside"), wait=Max("longest_wait")
    ).values_list("hour", "new", "changed", "failed", "wait")
    return [MailTally(*row) for row in sums]


def _fold(hours: Iterable[MailTally], all_steps: Sequence[ChartStep]) -> list[MailTally]:
    """Add up the hours of each step."""
    hours_of: list[list[MailTally]] = [[] for _ in all_steps]
    for hour in hours:
        index = step_index(hour.start, all_steps)
        if index is not None:
            hours_of[index].append(hour)
    return [_sum(tallies, step.start) for tallies, step in zip(hours_of, all_steps, strict=True)]


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
    # A latency of 0 s gets a small bar, to differ from an hour without new email, which has no bar.
    waits = [0 if tally.longest_wait is None else max(tally.longest_wait, 0.1) for tally in tallies]
    top = charts.seconds_top(max(waits))
    (delay,) = charts.stacked([waits], top)
    words = ["no new email" if tally.longest_wait is None else lasting(tally.longest_wait) for tally in tallies]
    scale = [round_length(top), round_length(top / 2), "0"]
    return Chart([("delay", charts.outline(delay))], _hovers(labels, words), scale, axis)


def _hovers(labels: Sequence[str], words: Sequence[str]) -> list[Hover]:
    areas = charts.places(len(labels))
    return [Hover(area, f"{label}: {text}") for area, label, text in zip(areas, labels, words, strict=True)]


def _from(hour: MailTally) -> str:
    return f"in the hour from {exactly(hour.start)}"


def _marked_every(span: Span) -> int:
    """Return the number of bars for each label of the x axis. It divides the number of bars evenly."""
    return {Span.DAY: 6, Span.WEEK: 4, Span.MONTH: 6}[span]


def _mark(span: Span, step: ChartStep) -> str:
    return date_format(timezone.localtime(step.start), {Span.DAY: "H:i", Span.WEEK: "D", Span.MONTH: "j M"}[span])


def _label(span: Span, step: ChartStep) -> str:
    start, end = timezone.localtime(step.start), timezone.localtime(step.end)
    if span is Span.MONTH:
        return date_format(start, "D j M")
    return f"{date_format(start, 'D j M, H:i')}–{date_format(end, 'H:i')}"
