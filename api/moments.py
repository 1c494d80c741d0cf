"""Times as programs send them."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils.dateparse import parse_datetime


def moment(text: str) -> datetime:
    """In UTC: PostgreSQL takes no offset of sixteen hours or more. Raises ValueError for anything but a time with its zone."""
    try:
        found = parse_datetime(text)
        if found is not None and found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError("a time like 2026-03-01T00:00:00Z")
