"""Forwarded emails: content that somebody else wrote. From where one begins, nothing is cut."""

from __future__ import annotations

from sync.cleaning import words
from sync.cleaning.marked_text import MarkedText, MarkKind
from sync.limits import Limits

LONGEST = 120
_DASHES = " -_=*"


def is_forward_subject(subject: str) -> bool:
    """Whether a subject begins as that of a forward (`Fwd:`, `WG:`, …)."""
    return subject.strip().replace("：", ":").casefold().startswith(words.FORWARD_PREFIXES)


def forward_start(text: MarkedText, limits: Limits) -> int | None:
    """The line in which a forwarded email begins, by its mark or by the words above it."""
    marked = [region.first for region in text.of(MarkKind.FORWARD)]
    worded = (number for number, line in enumerate(text.lines[: limits.lines]) if is_forward_line(line))
    return min([*marked, *([first] if (first := next(worded, None)) is not None else [])], default=None)


def is_forward_line(line: str) -> bool:
    """Such as `---------- Forwarded message ---------` or `Begin forwarded message:`; nothing that is quoted itself."""
    low = line.casefold().strip(_DASHES)
    return (
        len(line) <= LONGEST
        and any(mark in low for mark in words.FORWARDED)
        and (line.lstrip().startswith(("-", "_", "=", "*")) or low.startswith(words.FORWARDED))
    )
