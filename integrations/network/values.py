"""Times and numbers as servers write them."""

from __future__ import annotations

from datetime import datetime


def moment(text: str | None) -> datetime | None:
    """A time of the schema; None where it is absent, unreadable or without a zone."""
    try:
        read = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return read if read is None or read.tzinfo is not None else None


def whole_number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0
