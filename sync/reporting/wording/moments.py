"""Times on a page: relative for the eye, exact on hover; and how long something took."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

STEPS = ((60, 1, "second"), (3600, 60, "minute"), (86_400, 3600, "hour"), (30 * 86_400, 86_400, "day"))
"""Below so many seconds: counted in units of so many, which are called so."""


def moment(when: datetime | None, now: datetime | None = None) -> SafeString | str:
    """A `<time>` element such as "3 minutes ago" with the exact time as its title; a dash for None."""
    if when is None:
        return "–"
    local = timezone.localtime(when)
    exact = date_format(local, "j F Y, H:i:s T")
    text = relative(when, now or timezone.now())
    return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(), exact, text)


def exactly(when: datetime | None) -> str:
    """The time itself, to the minute, with its zone."""
    return date_format(timezone.localtime(when), "j M Y, H:i T") if when else "–"


def relative(when: datetime, now: datetime) -> str:
    """In English: "just now", "5 minutes ago", "in 2 hours"; the date when it is a month away."""
    seconds = (now - when).total_seconds()
    for below, unit, name in STEPS:
        if abs(seconds) < below:
            return "just now" if abs(seconds) < 5 else _phrase(int(abs(seconds) // unit), name, past=seconds > 0)
    return date_format(timezone.localtime(when), "j M Y")


def _phrase(count: int, name: str, *, past: bool) -> str:
    text = f"{count} {name}{'' if count == 1 else 's'}"
    return f"{text} ago" if past else f"in {text}"


def took(start: datetime | None, end: datetime | None) -> str:
    """How long from start to end: "0.4 s", "12 s", "3 min 20 s", "2 h 5 min"; a dash while it has no end."""
    return "–" if start is None or end is None else duration(end - start)


def lasting(seconds: int | None) -> str:
    """So many seconds as a length of time; a dash for None."""
    return "–" if seconds is None else duration(timedelta(seconds=seconds))


def round_length(seconds: float) -> str:
    """A round length in its largest unit, for a scale: "30 s", "2 min", "4 h", "5 d"."""
    for unit, name in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{seconds / unit:g} {name}"
    return f"{seconds:g} s"


def duration(length: timedelta) -> str:
    seconds = max(0.0, length.total_seconds())
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
