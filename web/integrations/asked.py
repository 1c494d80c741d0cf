"""What the address or the form of a page asks for, read as it is meant."""

from __future__ import annotations

LONGEST = 17
"""Digits: more than any primary key has, and no more than a database takes."""


def number(text: str | None) -> int:
    """A primary key or a page; 0, which is neither, for whatever is no number."""
    return int(text) if text and text.isdecimal() and len(text) <= LONGEST else 0
