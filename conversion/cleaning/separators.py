"""Lines that only a mail program draws above an earlier email: "-----Original Message-----", ">>> Ann 03.05.26 10:00 >>>"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from conversion.cleaning.evidence import has_address, has_full_date, has_time
from conversion.cleaning.languages import ends_with_word, fold, of_all

LONGEST = 200
_DASHES = "━─═＝＊ー-\u2010\u2011\u2012\u2013\u2014\u2015_=*—"
_NOTES_NAME = re.compile(r"[^/\d@:]{2,60}(?:/[^/@:]{1,40}){1,5}(?:@\S{1,40})?")
_NOTES_HIDES = ("Inactive hide details for ", "Ausgeblendete Details für ")
_LONGEST_MOMENT = 30
_BLANKS = " \t\u200e\u200f"
_ORIGINAL = frozenset(of_all("original"))
_WROTE = of_all("wrote")


def is_original_message(line: str, *, least: int = 8) -> bool:
    """The words for "original message" in any language, between at least so many dashes."""
    if line[:1] not in _DASHES or len(line) > LONGEST:
        return False
    line = line.replace("&nbsp;", " ")
    stripped = line.strip(_DASHES + _BLANKS)
    drawn = sum(line.count(dash) for dash in set(_DASHES)) >= least
    return drawn and fold(stripped).rstrip(" :") in _ORIGINAL


def is_drawn_attribution(line: str) -> bool:
    """`---- On Mon, 3 May 2026 10:00 Ann <ann@north.example> wrote ----`, and the like of Notes and Zoho."""
    if line[:2].strip(_DASHES) or len(line) > LONGEST * 2 or not line.rstrip(_BLANKS).endswith(tuple(_DASHES)):
        return False
    text = fold(line.strip(_DASHES + _BLANKS)).rstrip(": ")
    return ends_with_word(text, _WROTE) and (has_address(text) or has_full_date(text))


def is_arrowed(line: str) -> bool:
    """`>>> Ann Field <ann@north.example> 03.05.2026 10:00 >>>`, as GroupWise draws it."""
    text = line.strip()
    if not (text.startswith(">>>") and len(text) <= LONGEST):
        return False
    return (text.endswith(">>>") and any(map(str.isdigit, text))) or (has_full_date(text) and has_time(text))


def is_notes_header(lines: Sequence[str], number: int) -> bool:
    """`Ann Field/Desk/Bank` above a line that is a date and a time, or the words that Notes hides in a picture."""
    line = lines[number].strip()
    if line.startswith(_NOTES_HIDES):
        return True
    if not _NOTES_NAME.fullmatch(line):
        return False
    below = next((text.strip() for text in lines[number + 1 : number + 4] if text.strip()), "")
    return len(below) <= _LONGEST_MOMENT and has_full_date(below) and has_time(below)


def is_drawn(line: str) -> bool:
    """A rule of dashes or underscores, and nothing else."""
    text = line.strip()
    return len(text) >= 10 and not text.strip(_DASHES)
