"""What tells the line of a program from a sentence: dates, times, addresses."""

from __future__ import annotations

import re

ADDRESS = re.compile(r"[^\s<>()\[\]\"',;:@]{1,200}@[^\s<>()\[\]\"',;:@]{1,200}")
FULL_DATE = re.compile(
    r"(?<!\d)\d{4}\s?[./年년\-]\s?\d{1,2}"
    r"|(?<!\d)\d{1,2}\s?[./\-]\s?\d{1,2}\s?[./\-]\s?\d{2,4}(?!\d)"
    r"|(?<!\d)\d{4}(?!\d)"
)
"""With a year; digits of any script."""
TIME = re.compile(r"(?<!\d)\d{1,2}\s?[:.h時点시]\s?\d{2}(?!\d)|\d{1,2}\s?(?:[ap]\.?m\b|uhr|[時点시])", re.IGNORECASE)
COLONS = (":", "：")
_DECORATION = " \t*_|"


def has_address(text: str) -> bool:
    return "@" in text and ADDRESS.search(text) is not None


def has_full_date(text: str) -> bool:
    return FULL_DATE.search(text) is not None


def has_time(text: str) -> bool:
    return TIME.search(text) is not None


def undecorated(line: str) -> str:
    """Without the stars and bars that bold type and tables become in plain text."""
    return line.strip(_DECORATION)
