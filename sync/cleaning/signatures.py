"""The rules that find a signature: each has a name, says from which line on, and is silent when in doubt.

A signature is the last thing in what somebody wrote. Anything longer than signatures are is content.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from sync.cleaning import words
from sync.cleaning.attribution import last_written
from sync.cleaning.marked_text import MarkKind
from sync.cleaning.quotes import Reading

_MOST_LINES, _MOST_CHARS = 30, 2_000
"""Of a signature below a delimiter that says what it is."""
_FEW_LINES, _SHORT_LINE = 10, 80
"""Below one that has lost its space, as HTML and some programs make it: then it could be a rule of dashes."""
_LONGEST_MOBILE_LINE = 60
LINK = re.compile(r"<[^<>]{1,500}>")


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature that begins at this line, and the rule that found it."""

    first: int
    rule: str


def find_signature(reading: Reading) -> Signature | None:
    """The signature at the end of this text, by the rule that begins earliest."""
    found = [Signature(first, rule) for rule, finds in RULES.items() if (first := finds(reading)) is not None]
    return min(found, key=lambda signature: signature.first, default=None)


def marked_signature(reading: Reading) -> int | None:
    """A signature that the mail program marked in its HTML, with a delimiter above it if there is one."""
    last = last_written(reading.lines, reading.end)
    if last is None:
        return None
    for region in reading.text.of(MarkKind.SIGNATURE):
        if region.first <= last < region.end and _is_short(reading, region.first):
            above = last_written(reading.lines, region.first)
            delimited = above is not None and reading.lines[above].rstrip() == "--"
            return above if delimited else region.first
    return None


def delimited_signature(reading: Reading) -> int | None:
    """What is below the line `-- ` (RFC 3676 §4.3), or below `--` if it looks like a signature."""
    for number in range(max(0, reading.end - _MOST_LINES - 1), reading.end):
        line = reading.lines[number]
        if line == "-- " and _is_short(reading, number):
            return number
        alone = line == "--" and (number == 0 or not reading.lines[number - 1].strip())
        if alone and _is_short(reading, number) and _looks_like_a_signature(reading, number + 1):
            return number
    return None


def mobile_line(reading: Reading) -> int | None:
    """`Sent from my iPhone` and its like, as the last line: standing alone, or with nothing more in it than a link."""
    last = last_written(reading.lines, reading.end)
    if last is None:
        return None
    line = LINK.sub("", reading.lines[last][: reading.limits.line_chars]).strip().casefold()
    phrase = next((mobile for mobile in words.MOBILE if line.startswith(mobile)), None)
    if phrase is None or len(line) > _LONGEST_MOBILE_LINE:
        return None
    alone = last == 0 or not reading.lines[last - 1].strip()
    return last if alone or len(line.removeprefix(phrase).split()) <= 1 else None


RULES: dict[str, Callable[[Reading], int | None]] = {
    "marked-signature": marked_signature,
    "delimited-signature": delimited_signature,
    "mobile-line": mobile_line,
}


# ---- what the rules ask -------------------------------------------------------------------------------------------


def _is_short(reading: Reading, first: int) -> bool:
    lines = reading.lines[first : reading.end]
    return len(lines) <= _MOST_LINES and sum(map(len, lines)) <= _MOST_CHARS


def _looks_like_a_signature(reading: Reading, first: int) -> bool:
    """A few short lines, at least one; none of them quoted, and none a delimiter again."""
    written = [line for line in reading.lines[first : reading.end] if line.strip()]
    return 0 < len(written) <= _FEW_LINES and all(
        len(line) <= _SHORT_LINE and not line.startswith((">", "--")) for line in written
    )
