"""Patterns that distinguish a line written by a program from a sentence: dates, times, addresses."""

from __future__ import annotations

import re

ADDRESS = re.compile(r"[^\s<>()\[\]\"',;:@]{1,200}@[^\s<>()\[\]\"',;:@]{1,200}")
FULL_DATE = re.compile(
    r"(?<!\d)\d{4}\s?[./年년\-]\s?\d{1,2}"
    r"|(?<!\d)\d{1,2}\s?[./\-]\s?\d{1,2}\s?[./\-]\s?\d{2,4}(?!\d)"
    r"|(?<!\d)\d{4}(?!\d)"
)
"""A date with a year, or any number of four digits. The digits can be of any script."""
TIME = re.compile(r"(?<!\d)\d{1,2}\s?[:.h時点시]\s?\d{2}(?!\d)|\d{1,2}\s?(?:[ap]\.?m\b|uhr|[時点시])", re.IGNORECASE)
COLONS = (":", "：")
_DECORATION = " \t*_|"


def has_address(text: str) -> bool:
    """Return whether a text contains an email address.

    Args:
        text: The text.

    Returns:
        True if it does.
    """
    return "@" in text and ADDRESS.search(text) is not None


def has_full_date(text: str) -> bool:
    """Return whether a text contains a date with a year, or a number of four digits.

    Args:
        text: The text.

    Returns:
        True if it does.
    """
    return FULL_DATE.search(text) is not None


def has_time(text: str) -> bool:
    """Return whether a text contains a time of day.

    Args:
        text: The text.

    Returns:
        True if it does.
    """
    return TIME.search(text) is not None


def undecorated(line: str) -> str:
    """Strip white space, asterisks, underscores and bars. In plain text, these signs replace bold text and tables.

    Args:
        line: The line.

    Returns:
        The line without these characters at its ends.
    """
    return line.strip(_DECORATION)
