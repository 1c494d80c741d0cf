"""Parse numbers in query strings and forms."""

from __future__ import annotations

LONGEST = 17
"""Maximum number of digits. Primary keys are shorter, and a number with 19 digits can overflow a `bigint` of PostgreSQL."""


def parse_number(text: str | None) -> int:
    """Return a number, such as a primary key; 0, which is never valid, if the text is no number or too long."""
    return int(text) if text and text.isdecimal() and len(text) <= LONGEST else 0
