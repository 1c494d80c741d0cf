"""The rules that find a signature: each has a name, says from which line on, and is silent when in doubt.

A signature is the last thing in what somebody wrote, and may be of several pieces: a closing and a name, below it the line
of the phone, below that legal small print. Anything longer than signatures are is content.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from conversion.cleaning.attribution import last_written
from conversion.cleaning.closings import PARTICLES, closing_start
from conversion.cleaning.contact_block import contact_block_start, is_reachable
from conversion.cleaning.disclaimers import disclaimer_start
from conversion.cleaning.languages import LANGUAGES, fold, is_set, of_all, of_language
from conversion.cleaning.marked_text import MarkKind
from conversion.cleaning.quotes import Reading
from conversion.cleaning.separators import is_drawn

_MOST_LINES, _MOST_CHARS = 30, 2_000
"""Of a signature below a delimiter that says what it is."""
_FEW_LINES, _SHORT_LINE, _NARROW_LINE = 12, 80, 60
"""Below one that has lost its space, as HTML and some programs make it: then it could be a rule of dashes."""
_MOST_PIECES = 6
_LONGEST_MOBILE_LINE, _MOST_MOBILE_WORDS, _FEW_WORDS = 120, 11, 6
_DELIMITERS = ("| |", "--", "—", "–", "___", "__", "---", "-- ", "--- ")
_LINK = re.compile(r"<[^<>]{1,500}>|\(?https?://\S{1,500}")
_LIST_RULE = re.compile(r"_{30,}")
_CODE_ENDS, _SENTENCE_ENDS = (";", "{", "}", "=", "[", "("), (".", "!", "?", "。", "！", "？")
_DASHED_NAME = re.compile(r"\s?[-–—~]{1,2}\s?[^\W\d_][\w.'’\-]{0,30}(?: [^\W\d_][\w.'’\-]{0,30}){0,3}")
_NEED_BOTH = tuple(language for language in LANGUAGES if is_set(language, "mobile_needs_both"))
"""Languages in which such a line is known only by its beginning and its end together."""
_BOTH = tuple((of_language(language, "mobile"), of_language(language, "mobile_ends")) for language in _NEED_BOTH)
_MOBILE = tuple(
    {word for language in LANGUAGES if language not in _NEED_BOTH for word in of_language(language, "mobile")}
)
_ENOUGH = of_all("mobile_enough")
_MOBILE_ENDS = tuple(
    {word for language in LANGUAGES if language not in _NEED_BOTH for word in of_language(language, "mobile_ends")}
)
_DEVICES, _EXCUSES = of_all("devices"), of_all("excuses")


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature that begins at this line, and the rules that found its pieces, the uppermost first."""

    first: int
    rule: str


def find_signature(reading: Reading, sender: str = "", *, leaving: int | None = None) -> Signature | None:
    """The signature at the end of this text, piece by piece from below. `sender` is the name and address of the From.

    `leaving`: something must be left that is written in this line or below it.
    """
    end = reading.end
    rules: list[str] = []
    for _ in range(_MOST_PIECES):
        found = _earliest(Reading(reading.text, end, reading.limits), sender, leaving)
        if found is None:
            break
        end = _with_delimiter(reading, found.first)
        rules.insert(0, found.rule)
    return Signature(end, " + ".join(dict.fromkeys(rules))) if rules else None


def _earliest(reading: Reading, sender: str, leaving: int | None) -> Signature | None:
    if last_written(reading.lines, reading.end) is None:
        return None
    found = [Signature(first, rule) for rule, finds in RULES.items() if (first := finds(reading, sender)) is not None]
    found = [one for one in found if not _is_in_quote(reading, one.first) and not _is_introduced(reading, one.first)]
    if leaving is not None:
        found = [one for one in found if _is_left(reading, one.first, leaving)]
    return min(found, key=lambda signature: signature.first, default=None)


def _is_in_quote(reading: Reading, first: int) -> bool:
    """Whether a line stands in a quote that the mail program marked: then the signature is somebody else's."""
    return any(region.first < first < region.end for region in reading.text.of(MarkKind.QUOTE, MarkKind.CITATION))


def _is_introduced(reading: Reading, first: int) -> bool:
    """Whether the line above says that a signature is shown here: then it is content ("Please use this one:")."""
    above = last_written(reading.lines, first)
    return above is not None and reading.lines[above].rstrip().endswith((":", "："))


def _with_delimiter(reading: Reading, first: int) -> int:
    above = last_written(reading.lines, first)
    return above if above is not None and reading.lines[above].strip() in _DELIMITERS else first


def _is_left(reading: Reading, first: int, leaving: int) -> bool:
    above = last_written(reading.lines, first)
    return above is not None and above >= leaving


def marked_signature(reading: Reading, sender: str = "") -> int | None:
    """A signature that the mail program marked in its HTML, with a delimiter above it if there is one."""
    last = last_written(reading.lines, reading.end)
    if last is None:
        return None
    for region in reading.text.of(MarkKind.SIGNATURE):
        if region.first <= last < region.end and _is_short(reading, region.first):
            return region.first
    return None


def delimited_signature(reading: Reading, sender: str = "") -> int | None:
    """What is below the line `-- ` (RFC 3676 §4.3), or below `--` if it looks like a signature."""
    for number in range(max(0, reading.end - _MOST_LINES - 1), reading.end):
        line = reading.lines[number]
        if line == "-- " and _is_short(reading, number):
            return number
        if line.strip() not in _DELIMITERS or not _looks_like_a_signature(reading, number + 1):
            continue
        alone = number == 0 or not reading.lines[number - 1].strip()
        # Rules of three dashes or underscores stand in all kinds of text.
        known = (
            line.strip() == "--" or reading.end < len(reading.text.lines) or _tells_how_to_reach(reading, number + 1)
        )
        if alone and known:
            return number
    return None


def mailing_list_footer(reading: Reading, sender: str = "") -> int | None:
    """The rule of underscores, and below it the name and the links of a mailing list."""
    for number in range(max(0, reading.end - _FEW_LINES), reading.end):
        if _LIST_RULE.fullmatch(reading.lines[number].strip()):
            below = [line for line in reading.lines[number + 1 : reading.end] if line.strip()]
            named = any("list" in line.casefold() for line in below) and any(
                "@" in line or "http" in line for line in below
            )
            return number if named and len(below) <= _FEW_LINES else None
    return None


def mobile_line(reading: Reading, sender: str = "") -> int | None:
    """`Sent from my iPhone` and its like, as the last line: standing alone, or with nothing more in it than a link."""
    last = last_written(reading.lines, reading.end)
    if last is None:
        return None
    line = _LINK.sub("", reading.lines[last][: reading.limits.line_chars]).strip(" *_-|•")
    if len(line) > _LONGEST_MOBILE_LINE or not is_mobile_line(line):
        return None
    above = reading.lines[last - 1].strip() if last else ""
    alone = not above or above in _DELIMITERS or len(line.split()) <= _FEW_WORDS
    return last if alone else None


def is_mobile_line(line: str) -> bool:
    """Whether a line says with which phone or program an email was sent, and nothing else."""
    text = fold(line).strip(" .!-*_()[]")
    text, _, more = text.partition(". ")
    if text.endswith("?") or not any(device in text for device in _DEVICES) or (more and not more.startswith(_EXCUSES)):
        return False
    if len(text.split()) > _MOST_MOBILE_WORDS:
        return False
    if text.startswith(_MOBILE + _ENOUGH) or text.endswith(_MOBILE_ENDS):
        return True
    return any(text.startswith(begins) and text.endswith(ends) for begins, ends in _BOTH)


def enclosed_signature(reading: Reading, sender: str = "") -> int | None:
    """A few short lines between two rules that are alike, as is the custom in Japan."""
    last = last_written(reading.lines, reading.end)
    if last is None or not is_drawn(reading.lines[last]):
        return None
    rule = reading.lines[last].strip()
    for number in range(last - 2, max(-1, last - _FEW_LINES - 1), -1):
        if reading.lines[number].strip() == rule:
            between = [line.strip() for line in reading.lines[number + 1 : last] if line.strip()]
            alone = number == 0 or not reading.lines[number - 1].strip()
            fits = all(len(line) <= _NARROW_LINE and not _is_content(line) for line in between)
            return number if alone and between and fits else None
    return None


def dashed_name(reading: Reading, sender: str = "") -> int | None:
    """`- Ann` or `-Ann Field` as the last line, below a blank one, and no item of a list."""
    last = last_written(reading.lines, reading.end)
    if last is None or last == 0 or reading.lines[last - 1].strip():
        return None
    line = reading.lines[last]
    above = last_written(reading.lines, last)
    listed = above is not None and reading.lines[above].lstrip().startswith(("-", "–", "—", "*", "•"))
    words = line.strip(" -–—~").split()
    capital = all(word[0].isupper() or word in PARTICLES for word in words)
    closed = line.rstrip().endswith(("-", "–", "—", "~"))
    return last if capital and not listed and not closed and _DASHED_NAME.fullmatch(line.rstrip()) else None


def closing(reading: Reading, sender: str = "") -> int | None:
    """ "Kind regards," with a name, and an address, below it."""
    return closing_start(reading.lines, reading.end)


def contact_block(reading: Reading, sender: str = "") -> int | None:
    """The sender's name, and how to reach them, without a closing above."""
    above_history = reading.end < len(reading.text.lines)
    return contact_block_start(reading.lines, reading.end, sender, above_history=above_history)


def disclaimer(reading: Reading, sender: str = "") -> int | None:
    """Legal small print."""
    return disclaimer_start(reading.lines, reading.end)


RULES: dict[str, Callable[[Reading, str], int | None]] = {
    "marked-signature": marked_signature,
    "delimited-signature": delimited_signature,
    "mailing-list-footer": mailing_list_footer,
    "mobile-line": mobile_line,
    "enclosed-signature": enclosed_signature,
    "dashed-name": dashed_name,
    "closing": closing,
    "contact-block": contact_block,
    "disclaimer": disclaimer,
}


# ---- what the rules ask -------------------------------------------------------------------------------------------


def _is_short(reading: Reading, first: int) -> bool:
    lines = reading.lines[first : reading.end]
    return len(lines) <= _MOST_LINES and sum(map(len, lines)) <= _MOST_CHARS


def _looks_like_a_signature(reading: Reading, first: int) -> bool:
    """A few short lines, at least one; none of them quoted, a list, code or a sentence, and none a delimiter again."""
    written = [line.strip() for line in reading.lines[first : reading.end] if line.strip()]
    return 0 < len(written) <= _FEW_LINES and not any(map(_is_content, written))


def _is_content(line: str) -> bool:
    if len(line) > _SHORT_LINE or line.startswith((">", "--", "- ", "* ", "• ", "#", "+")) or line.endswith(_CODE_ENDS):
        return True
    return line.endswith(_SENTENCE_ENDS) and len(line.split()) > _FEW_WORDS


def _tells_how_to_reach(reading: Reading, first: int) -> bool:
    return any(is_reachable(line) for line in reading.lines[first : reading.end])
