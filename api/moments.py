"""Parsing of times in query parameters and pagination cursors."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils.dateparse import parse_datetime


def moment(text: str) -> datetime:
    """Parse a time that has a UTC offset.

    The result is in UTC, because PostgreSQL rejects offsets of 16 hours or more.

    Args:
        text: A time in ISO 8601.

    Returns:
        The time in UTC.

    Raises:
        ValueError: The text is not a time, or a time without a UTC offset.
    """
    try:
        parsed = parse_datetime(text)
        if parsed is not None and parsed.tzinfo is not None:
            return parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError("a time like 2026-03-01T00:00:00Z")
