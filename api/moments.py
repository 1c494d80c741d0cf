"""Times in parameters and cursors."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils.dateparse import parse_datetime


def moment(text: str) -> datetime:
    """Read a time with its offset.

    The result is in UTC, because PostgreSQL rejects offsets of 16 hours or more.

    Args:
        text: A time in ISO 8601.

    Returns:
        The time in UTC.

    Raises:
        ValueError: The text is no time, or a time without offset.
    """
    try:
        found = parse_datetime(text)
        if found is not None and found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError("a time like 2026-03-01T00:00:00Z")
