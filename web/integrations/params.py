"""Parse numbers in query strings and forms."""

from __future__ import annotations

LONGEST = 17
"""Most digits of a number. A primary key is shorter, and a longer number could overflow a `bigint` of PostgreSQL."""


def parse_number(text: str | None) -> int:
    """Return a primary key or page number; 0, which is never valid, if the text is not a number."""
    return int(text) if text and text.isdecimal() and len(text) <= LONGEST else 0
