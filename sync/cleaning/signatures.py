"""Signatures in plain text: where one begins, when that is beyond doubt."""

from __future__ import annotations

from collections.abc import Sequence

from sync.cleaning import words

MOST_LINES = 15
MOST_CHARS = 2000


def find_signature(lines: Sequence[str]) -> tuple[int, str] | None:
    """The line at which the signature begins, and the rule that found it; None when there is none, or any doubt."""
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    for number in range(end - 1, max(-1, end - MOST_LINES - 2), -1):
        # The delimiter (RFC 3676, section 4.3): two dashes and a blank, which some clients lose.
        if lines[number].rstrip() == "--" and not lines[number].startswith(" "):
            after = "\n".join(lines[number + 1 : end])
            return (number, "delimiter") if 0 < len(after) <= MOST_CHARS and ">" not in after[:1] else None
    if end and len(lines[end - 1]) < 100 and lines[end - 1].strip().casefold().startswith(words.MOBILE):
        return end - 1, "mobile line"
    return None
