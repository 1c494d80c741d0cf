"""Format times (relative, or exact) and durations."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

STEPS = ((60, 1, "second"), (3600, 60, "minute"), (86_400, 3600, "hour"), (30 * 86_400, 86_400, "day"))
"""Upper limit of a unit in seconds, length of the unit in seconds, name of the unit."""


def moment(when: datetime | None, now: datetime | None = None) -> SafeString | str:
    """Format a time for a page: relative, with the exact time as tooltip.

    Args:
        when: The time to format, aware, or None.
        now: Current time, aware; None to use the clock.

    Returns:
        A `<time>` element with text such as "3 minutes ago"; a dash for None.
    """
    if when is None:
        return "–"
    local = timezone.localtime(when)
    exact = date_format(local, "j F Y, H:i:s T")
    text = relative(when, now or timezone.now())
    return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(), exact, text)


def exactly(when: datetime | None) -> str:
    """Format a time to the minute, with its time zone.

    Args:
        when: The time to format, aware, or None.

    Returns:
        For example "4 Mar 2025, 14:05 CET"; a dash for None.
    """
    return date_format(timezone.localtime(when), "j M Y, H:i T") if when else "–"


def relative(when: datetime, now: datetime) -> str:
    """Format a time relative to now, in English.

    Args:
        when: The time to format, aware.
        now: Current time, aware.

    Returns:
        For example "just now", "5 minutes ago", "in 2 hours"; the date if it is 30 days away or more.
    """
    seconds = (now - when).total_seconds()
    for below, unit, name in STEPS:
        if abs(seconds) < below:
            return "just now" if abs(seconds) < 5 else _phrase(int(abs(seconds) // unit), name, past=seconds > 0)
    return date_format(timezone.localtime(when), "j M Y")


def _phrase(count: int, name: str, *, past: bool) -> str:
    text = f"{count} {name}{'' if count == 1 else 's'}"
    return f"{text} ago" if past else f"in {text}"


def took(start: datetime | None, end: datetime | None) -> str:
    """Format the time between a start and an end.

    Args:
        start: The start, aware, or None.
        end: The end, aware, or None.

    Returns:
        A text in the format of `duration`; a dash if start or end is missing.
    """
    return "–" if start is None or end is None else duration(end - start)


def lasting(seconds: int | None) -> str:
    """Format a number of seconds as a duration.

    Args:
        seconds: The number of seconds, or None.

    Returns:
        A text in the format of `duration`; a dash for None.
    """
    return "–" if seconds is None else duration(timedelta(seconds=seconds))


def round_length(seconds: float) -> str:
    """Format a round duration in its largest unit, for the scale of a chart.

    Args:
        seconds: The duration in seconds.

    Returns:
        For example "30 s", "2 min", "4 h", "5 d".
    """
    for unit, name in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{seconds / unit:g} {name}"
    return f"{seconds:g} s"


def duration(length: timedelta) -> str:
    """Format a duration. A negative duration counts as 0.

    Args:
        length: The duration.

    Returns:
        For example "0.4 s", "12 s", "3 min 20 s", "2 h 5 min".
    """
    seconds = max(0.0, length.total_seconds())
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
