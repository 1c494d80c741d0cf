"""Find the attribution: one to four lines that introduce a quote.

Example: "On 3 May 2026 at 10:00, Ann Field <ann@north.example> wrote:".
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from conversion.cleaning.evidence import COLONS, has_address, has_full_date, has_time, undecorated
from conversion.cleaning.languages import ends_with_word, fold, is_unspaced, of_all

MAX_LINES = 4
MAX_CHARS = 400
_FEW_WORDS = 8
_WROTE = of_all("wrote")
_WROTE_AMID = of_all("wrote_amid")
_PRONOUNS = frozenset(of_all("pronouns"))
_OPENS = of_all("opens")
_SENTENCE_ENDS = (".", "!", "?", "。", "！", "？", ";", ",")


class Below(IntEnum):
    """Evidence that the lines below an attribution are a quote. For weaker evidence, the rule for attributions is stricter."""

    NOTHING = 0
    """No evidence: the lines look like any other text."""
    QUOTED = 1
    """Each line begins with `>`."""
    MARKED = 2
    """The mail program marked the lines as a quote. Then an attribution in an unknown language is accepted too."""


def attribution_above(lines: Sequence[str], below: int, *, marked: bool) -> int | None:
    """Find the attribution directly above a line. Blank lines between the two are skipped.

    Args:
        lines: The text.
        below: Number of the line.
        marked: Whether the mail program marked that line as a quote.

    Returns:
        Number of the first line of the attribution, or None.
    """
    last = last_written(lines, below)
    return None if last is None else attribution_at(lines, last, Below.MARKED if marked else Below.QUOTED)


def attribution_at(lines: Sequence[str], last: int, below: Below) -> int | None:
    """Find the attribution that ends in a line.

    Args:
        lines: The text.
        last: Number of the last line of the attribution.
        below: What is known about the lines below.

    Returns:
        Number of the first line of the attribution, or None.
    """
    if not _may_close(lines[last]):
        return None
    for first in range(last, max(-1, last - MAX_LINES), -1):
        if first != last and (not lines[first].strip() or lines[first].startswith(">")):
            return None
        if is_attribution(" ".join(line.strip() for line in lines[first : last + 1]), below):
            return _opening_above(lines, first, last)
    return None


def is_attribution(text: str, below: Below = Below.NOTHING) -> bool:
    """Return whether a text is an attribution and not a sentence.

    Args:
        text: The lines of the attribution, joined.
        below: What is known about the lines below.

    Returns:
        True for an attribution.
    """
    text = fold(undecorated(text))
    if len(text) > MAX_CHARS or not text.endswith(COLONS):
        return False
    text = text.rstrip(": ")
    dated, timed, addressed = has_full_date(text), has_time(text), has_address(text)
    verb = ends_with_word(text.rstrip(" .)"), _WROTE) or _has_verb_amid(text)
    if below is Below.MARKED and (addressed or any(character.isdigit() for character in text)):
        return True
    if below is Below.QUOTED and verb and (addressed or any(character.isdigit() for character in text)):
        return True
    if dated and timed and addressed and (below is not Below.NOTHING or text.endswith((">", ")"))):
        return True
    if below is Below.QUOTED and ((dated and timed) or (timed and addressed)):
        return text[:1].isdigit() or addressed
    if verb and addressed and len(text.split()) <= _FEW_WORDS:
        return True
    return verb and dated and (timed or addressed)


def last_written(lines: Sequence[str], below: int) -> int | None:
    """Find the last line that is not blank above a line.

    Args:
        lines: The text.
        below: Number of the lower line.

    Returns:
        Number of the line that was found, or None.
    """
    return next((number for number in range(min(below, len(lines)) - 1, -1, -1) if lines[number].strip()), None)


def _may_close(line: str) -> bool:
    return line.rstrip(" *_\u200e\u200f\u202c\u2069").endswith(COLONS)


def _has_verb_amid(text: str) -> bool:
    """Return whether a name or date follows the verb in the line. A pronoun after the verb would make the line a sentence."""
    for verb in _WROTE_AMID:
        place = text.find(verb)
        if place < 0:
            continue
        before, after = text[:place], text[place + len(verb) :]
        if not is_unspaced(verb) and (before[-1:].isalnum() or after[:1].isalnum()):
            continue
        following = after.split()
        if following and following[0].strip(",:") not in _PRONOUNS:
            return True
    return False


def _opening_above(lines: Sequence[str], first: int, last: int) -> int:
    """Return the first line of the attribution, which may be one line above `first`.

    Example: "On Monday," above "3 May 2026 at 10:00 Ann wrote:".
    """
    above = first - 1
    if above < 0 or last - above >= MAX_LINES or _opens(lines[first]):
        return first
    line = lines[above].strip()
    if not line or line.startswith(">") or len(line) > 100:
        return first
    if line.endswith(_SENTENCE_ENDS) and not (line.endswith(",") and _opens(line)):
        return first
    return above if _opens(line) and any(character.isdigit() for character in line + lines[first]) else first


def _opens(line: str) -> bool:
    text = fold(undecorated(line))
    return any(text.startswith(word) and not text[len(word) : len(word) + 1].isalpha() for word in _OPENS)
