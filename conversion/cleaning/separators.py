"""Recognise lines that only mail programs write above an earlier email.

Examples: "-----Original Message-----", ">>> Ann 03.05.26 10:00 >>>".
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from conversion.cleaning.evidence import has_address, has_full_date, has_time
from conversion.cleaning.languages import ends_with_word, fold, of_all

MAX_CHARS = 200
_DASHES = "━─═＝＊ー-\u2010\u2011\u2012\u2013\u2014\u2015_=*—"
_NOTES_NAME = re.compile(r"[^/\d@:]{2,60}(?:/[^/@:]{1,40}){1,5}(?:@\S{1,40})?")
_NOTES_ALT_TEXTS = ("Inactive hide details for ", "Ausgeblendete Details für ")
_MAX_TIMESTAMP_CHARS = 30
_BLANKS = " \t\u200e\u200f"
_ORIGINAL = frozenset(of_all("original"))
_WROTE = of_all("wrote")


def is_original_message(line: str, *, least: int = 8) -> bool:
    """Return whether a line is "original message" between dashes, in any language.

    Args:
        line: The line.
        least: Minimum number of dashes.

    Returns:
        True for such a line.
    """
    if line[:1] not in _DASHES or len(line) > MAX_CHARS:
        return False
    line = line.replace("&nbsp;", " ")
    stripped = line.strip(_DASHES + _BLANKS)
    drawn = sum(line.count(dash) for dash in set(_DASHES)) >= least
    return drawn and fold(stripped).rstrip(" :") in _ORIGINAL


def is_drawn_attribution(line: str) -> bool:
    """Return whether a line is an attribution between dashes, as Zoho and Notes write it.

    Example: `---- On Mon, 3 May 2026 10:00 Ann <ann@north.example> wrote ----`.

    Args:
        line: The line.

    Returns:
        True for such a line.
    """
    if line[:2].strip(_DASHES) or len(line) > MAX_CHARS * 2 or not line.rstrip(_BLANKS).endswith(tuple(_DASHES)):
        return False
    text = fold(line.strip(_DASHES + _BLANKS)).rstrip(": ")
    return ends_with_word(text, _WROTE) and (has_address(text) or has_full_date(text))


def is_arrowed(line: str) -> bool:
    """Return whether a line is an attribution that begins with arrows, as GroupWise writes it.

    Example: `>>> Ann Field <ann@north.example> 03.05.2026 10:00 >>>`.

    Args:
        line: The line.

    Returns:
        True for such a line.
    """
    text = line.strip()
    if not (text.startswith(">>>") and len(text) <= MAX_CHARS):
        return False
    return (text.endswith(">>>") and any(map(str.isdigit, text))) or (has_full_date(text) and has_time(text))


def is_notes_header(lines: Sequence[str], number: int) -> bool:
    """Return whether a line is the header of an earlier email in Notes.

    The header is either `Ann Field/Desk/Bank` above a line with only a date and a time, or the alternative text of a
    picture that Notes inserts.

    Args:
        lines: The text.
        number: Number of the line.

    Returns:
        True for such a line.
    """
    line = lines[number].strip()
    if line.startswith(_NOTES_ALT_TEXTS):
        return True
    if not _NOTES_NAME.fullmatch(line):
        return False
    below = next((text.strip() for text in lines[number + 1 : number + 4] if text.strip()), "")
    return len(below) <= _MAX_TIMESTAMP_CHARS and has_full_date(below) and has_time(below)


def is_drawn(line: str) -> bool:
    """Return whether a line has only dashes, underscores, asterisks or equals signs, at least ten.

    Args:
        line: The line.

    Returns:
        True for such a line.
    """
    text = line.strip()
    return len(text) >= 10 and not text.strip(_DASHES)
