"""Rules that find a signature. Each rule has a name, and returns the first line of the signature or None.

A signature is at the end of the author's text. It can have several pieces, such as a closing with a name, a mobile line
("Sent from my phone") and a disclaimer. Text that is longer than a signature is content.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from conversion.cleaning.attribution import last_written
from conversion.cleaning.closings import PARTICLES, closing_start
from conversion.cleaning.contact_block import contact_block_start, has_contact_details
from conversion.cleaning.disclaimers import disclaimer_start
from conversion.cleaning.languages import LANGUAGES, fold, is_set, of_all, of_language
from conversion.cleaning.marked_text import MarkKind
from conversion.cleaning.quotes import Reading
from conversion.cleaning.separators import is_drawn

_MAX_LINES, _MAX_CHARS = 30, 2_000
"""Maximum number of lines and of characters of a signature that is marked in the HTML or is below the line `-- `."""
_FEW_LINES, _SHORT_LINE, _NARROW_LINE = 12, 80, 60
"""First two values: maximum number of lines, and maximum number of characters of a line, below a delimiter without its
trailing space. HTML and some mail programs write the delimiter without the space, but it can then also be a divider. Third
value: maximum number of characters of a line between two lines of dashes."""
_MAX_PIECES = 6
_LONGEST_MOBILE_LINE, _MAX_MOBILE_WORDS, _FEW_WORDS = 120, 11, 6
_DELIMITERS = ("| |", "--", "—", "–", "___", "__", "---", "-- ", "--- ")
_LINK = re.compile(r"<[^<>]{1,500}>|\(?https?://\S{1,500}")
_LIST_RULE = re.compile(r"_{30,}")
_CODE_ENDS, _SENTENCE_ENDS = (";", "{", "}", "=", "[", "("), (".", "!", "?", "。", "！", "？")
_DASHED_NAME = re.compile(r"\s?[-–—~]{1,2}\s?[^\W\d_][\w.'’\-]{0,30}(?: [^\W\d_][\w.'’\-]{0,30}){0,3}")
_NEED_BOTH = tuple(language for language in LANGUAGES if is_set(language, "mobile_needs_both"))
"""Languages in which a mobile line needs a beginning and an ending, or a beginning of the list `mobile_enough`."""
_BOTH = tuple((of_language(language, "mobile"), of_language(language, "mobile_ends")) for language in _NEED_BOTH)
_MOBILE = tuple(
    {word for language in LANGUAGES if language not in _NEED_BOTH for word in of_language(language, "mobile")}
)
_SUFFICIENT = of_all("mobile_enough")
_MOBILE_ENDS = tuple(
    {word for language in LANGUAGES if language not in _NEED_BOTH for word in of_language(language, "mobile_ends")}
)
_DEVICES, _EXCUSES = of_all("devices"), of_all("excuses")


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature.

    Attributes:
        first: Number of its first line.
        rule: Names of the rules that found its pieces, from top to bottom.
    """

    first: int
    rule: str


def find_signature(reading: Reading, sender: str = "", *, must_keep: int | None = None) -> Signature | None:
    """Find the signature at the end of a text. The lowest piece is found first, then the piece above it, and so on.

    Args:
        reading: The text.
        sender: From of the email, as `Name <address>`.
        must_keep: Number of a line. Some text from this line on must remain above the signature.

    Returns:
        The signature, or None.
    """
    end = reading.end
    rules: list[str] = []
    for _ in range(_MAX_PIECES):
        lowest = _earliest(Reading(reading.text, end, reading.limits), sender, must_keep)
        if lowest is None:
            break
        end = _with_delimiter(reading, lowest.first)
        rules.insert(0, lowest.rule)
    return Signature(end, " + ".join(dict.fromkeys(rules))) if rules else None


def _earliest(reading: Reading, sender: str, must_keep: int | None) -> Signature | None:
    if last_written(reading.lines, reading.end) is None:
        return None
    candidates = [
        Signature(first, rule)
        for rule, find_start in RULES.items()
        if (first := find_start(reading, sender)) is not None
    ]
    candidates = [
        one for one in candidates if not _is_in_quote(reading, one.first) and not _is_introduced(reading, one.first)
    ]
    if must_keep is not None:
        candidates = [one for one in candidates if _keeps_text(reading, one.first, must_keep)]
    return min(candidates, key=lambda signature: signature.first, default=None)


def _is_in_quote(reading: Reading, first: int) -> bool:
    """Return whether a signature is inside of a marked quote, so that it belongs to the quoted email."""
    return any(region.first < first < region.end for region in reading.text.of(MarkKind.QUOTE, MarkKind.CITATION))


def _is_introduced(reading: Reading, first: int) -> bool:
    """Return whether the line above introduces a signature as content ("Please use this one:")."""
    above = last_written(reading.lines, first)
    return above is not None and reading.lines[above].rstrip().endswith((":", "："))


def _with_delimiter(reading: Reading, first: int) -> int:
    above = last_written(reading.lines, first)
    return above if above is not None and reading.lines[above].strip() in _DELIMITERS else first


def _keeps_text(reading: Reading, first: int, must_keep: int) -> bool:
    above = last_written(reading.lines, first)
    return above is not None and above >= must_keep


def marked_signature(reading: Reading, sender: str = "") -> int | None:
    """Find a signature that the mail program marked in its HTML.

    Args:
        reading: The text.
        sender: From of the email; not used.

    Returns:
        Number of the first line, or None.
    """
    last = last_written(reading.lines, reading.end)
    if last is None:
        return None
    for region in reading.text.of(MarkKind.SIGNATURE):
        if region.first <= last < region.end and _is_short(reading, region.first):
            return region.first
    return None


def delimited_signature(reading: Reading, sender: str = "") -> int | None:
    """Find the text below the line `-- ` (RFC 3676 §4.3), or below a similar line if the text looks like a signature.

    Args:
        reading: The text.
        sender: From of the email; not used.

    Returns:
        Number of the first line, or None.
    """
    for number in range(max(0, reading.end - _MAX_LINES - 1), reading.end):
        line = reading.lines[number]
        if line == "-- " and _is_short(reading, number):
            return number
        if line.strip() not in _DELIMITERS or not _looks_like_a_signature(reading, number + 1):
            continue
        alone = number == 0 or not reading.lines[number - 1].strip()
        # Lines of three dashes or underscores are common in all kinds of text.
        known = (
            line.strip() == "--"
            or reading.end < len(reading.text.lines)
            or _has_contact_details_below(reading, number + 1)
        )
        if alone and known:
            return number
    return None


def mailing_list_footer(reading: Reading, sender: str = "") -> int | None:
    """Find the footer of a mailing list: a line of underscores, and below it the name and the links of the list.

    Args:
        reading: The text.
        sender: From of the email; not used.

    Returns:
        Number of the first line, or None.
    """
    for number in range(max(0, reading.end - _FEW_LINES), reading.end):
        if _LIST_RULE.fullmatch(reading.lines[number].strip()):
            below = [line for line in reading.lines[number + 1 : reading.end] if line.strip()]
            named = any("list" in line.casefold() for line in below) and any(
                "@" in line or "http" in line for line in below
            )
            return number if named and len(below) <= _FEW_LINES else None
    return None


def mobile_line(reading: Reading, sender: str = "") -> int | None:
    """Find a last line such as `Sent from my iPhone`, that is short or begins its paragraph.

    A link in the line is ignored.

    Args:
        reading: The text.
        sender: From of the email; not used.

    Returns:
        Number of the first line, or None.
    """
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
    """Return whether a line states only the phone or mail program of the author, possibly with an excuse.

    Args:
        line: The line, without links.

    Returns:
        True for such a line.
    """
    text = fold(line).strip(" .!-*_()[]")
    text, _, more = text.partition(". ")
    if text.endswith("?") or not any(device in text for device in _DEVICES) or (more and not more.startswith(_EXCUSES)):
        return False
    if len(text.split()) > _MAX_MOBILE_WORDS:
        return False
    if text.startswith(_MOBILE + _SUFFICIENT) or text.endswith(_MOBILE_ENDS):
        return True
    return any(text.startswith(begins) and text.endswith(ends) for begins, ends in _BOTH)


def enclosed_signature(reading: Reading, sender: str = "") -> int | None:
    """Find a few short lines between two equal lines of dashes, as is common in Japan.

    Args:
        reading: The text.
        sender: From of the email; not used.

    Returns:
        Number of the first line, or None.
    """
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
    """Find `- Ann` or `-Ann Field` as the last line, below a blank line and outside of a list.

    Args:
        reading: The text.
        sender: From of the email; not used.

    Returns:
        Number of the first line, or None.
    """
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
    """Find a closing such as "Kind regards," with a name and contact details below.

    Args:
        reading: The text.
        sender: From of the email; not used.

    Returns:
        Number of the first line, or None.
    """
    return closing_start(reading.lines, reading.end)


def contact_block(reading: Reading, sender: str = "") -> int | None:
    """Find the name of the sender with contact details, without a closing above.

    Args:
        reading: The text.
        sender: From of the email, as `Name <address>`.

    Returns:
        Number of the first line, or None.
    """
    above_history = reading.end < len(reading.text.lines)
    return contact_block_start(reading.lines, reading.end, sender, above_history=above_history)


def disclaimer(reading: Reading, sender: str = "") -> int | None:
    """Find a legal disclaimer.

    Args:
        reading: The text.
        sender: From of the email; not used.

    Returns:
        Number of the first line, or None.
    """
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


# ---- Helper functions of the rules --------------------------------------------------------------------------------


def _is_short(reading: Reading, first: int) -> bool:
    lines = reading.lines[first : reading.end]
    return len(lines) <= _MAX_LINES and sum(map(len, lines)) <= _MAX_CHARS


def _looks_like_a_signature(reading: Reading, first: int) -> bool:
    """Return whether only a few short lines follow, without a quote, list, code, sentence or another delimiter."""
    written = [line.strip() for line in reading.lines[first : reading.end] if line.strip()]
    return 0 < len(written) <= _FEW_LINES and not any(map(_is_content, written))


def _is_content(line: str) -> bool:
    if len(line) > _SHORT_LINE or line.startswith((">", "--", "- ", "* ", "• ", "#", "+")) or line.endswith(_CODE_ENDS):
        return True
    return line.endswith(_SENTENCE_ENDS) and len(line.split()) > _FEW_WORDS


def _has_contact_details_below(reading: Reading, first: int) -> bool:
    return any(has_contact_details(line) for line in reading.lines[first : reading.end])
