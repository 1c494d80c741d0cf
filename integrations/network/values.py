"""Times and numbers as servers write them."""

from __future__ import annotations

from datetime import UTC, datetime

LARGEST_NUMBER = 2**31 - 1


def moment(text: str | None) -> datetime | None:
    """A time of the schema; None where it is absent, unreadable, without a zone, or none in UTC."""
    try:
        read = datetime.fromisoformat(text) if text else None
        if read is not None and read.tzinfo is not None:
            read.astimezone(UTC)
            return read
    except (ValueError, OverflowError):
        pass
    return None


def whole_number(text: str | None) -> int:
    """A number of 32 bits, which is what the schema of Exchange has; 0 for anything else."""
    return min(int(text[:11]), LARGEST_NUMBER) if text and text.isascii() and text.isdigit() else 0
