"""Read times and numbers in answers of servers."""

from __future__ import annotations

from datetime import UTC, datetime

LARGEST_NUMBER = 2**31 - 1
"""The largest number that `whole_number` returns."""


def parse_time(text: str | None) -> datetime | None:
    """Read a time in ISO 8601.

    Args:
        text: The time; None if it is absent.

    Returns:
        The time; None if it is absent, unreadable, without a zone, or outside the range of `datetime` in UTC.
    """
    try:
        parsed = datetime.fromisoformat(text) if text else None
        if parsed is not None and parsed.tzinfo is not None:
            parsed.astimezone(UTC)
            return parsed
    except (ValueError, OverflowError):
        pass
    return None


def whole_number(text: str | None) -> int:
    """Read a whole number of 32 bits, the type in the schema of EWS.

    Args:
        text: The digits; None if the number is absent.

    Returns:
        The number, at most `LARGEST_NUMBER`; 0 for None and for any other text.
    """
    return min(int(text[:11]), LARGEST_NUMBER) if text and text.isascii() and text.isdigit() else 0
