"""The line that introduces a quote: "On 3 May 2026, Ann Field <ann@north.example> wrote:", on one to four lines."""

from __future__ import annotations

from collections.abc import Sequence

from sync.cleaning import words

MOST_LINES = 4
MOST_CHARS = 400
COLONS = (":", "：")


def attribution_above(lines: Sequence[str], below: int, *, marked: bool) -> int | None:
    """The first line of the attribution right above line `below` (blank lines between are passed over), or None.

    `marked`: a mail program marked the quote as one; so an attribution in a language that is not known here is
    believed too, if it ends in a colon and tells a time or an address.
    """
    last = last_written(lines, below)
    if last is None:
        return None
    first = last
    while first > 0 and lines[first - 1].strip() and not lines[first - 1].startswith(">"):
        if last - first >= MOST_LINES:
            break
        first -= 1
    # The whole paragraph, if it is short; else the last line of a longer one.
    for start in dict.fromkeys((first, last)):
        if last - start < MOST_LINES and _is_attribution(" ".join(lines[start : last + 1]), marked=marked):
            return start
    return None


def last_written(lines: Sequence[str], below: int) -> int | None:
    """The last line above `below` that is not blank."""
    return next((number for number in range(below - 1, -1, -1) if lines[number].strip()), None)


def _is_attribution(text: str, *, marked: bool) -> bool:
    text = text.strip(" *_").casefold()
    if len(text) > MOST_CHARS or not text.endswith(COLONS):
        return False
    dated = "@" in text or any(character.isdigit() for character in text)
    closes = text.endswith(words.ATTRIBUTION_ENDS)
    names_after_verb = any(f" {verb} " in text for verb in words.VERBS_BEFORE_NAMES)
    return dated and (closes or names_after_verb or marked)
