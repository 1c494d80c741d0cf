"""Rules that find quoted earlier emails. Each rule has a name, and returns the first line of the quote or None.

A quote extends to the end of the text that is searched. If the author wrote below or between quoted lines, the quote is
not cut, because it gives the context of the answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from conversion.cleaning.attribution import MAX_LINES, Below, attribution_above, attribution_at, last_written
from conversion.cleaning.forwards import is_forward_line
from conversion.cleaning.header_block import begins_with_label, is_header_block, looks_like_headers
from conversion.cleaning.marked_text import MarkedText, MarkKind, Region
from conversion.cleaning.separators import (
    is_arrowed,
    is_drawn,
    is_drawn_attribution,
    is_notes_header,
    is_original_message,
)
from conversion.limits import Limits

_FEW_LINES = 4
_MAX_ENCLOSED = 12
_LONG_LINE = 60


@dataclass(frozen=True, slots=True)
class Quote:
    """A quote.

    Attributes:
        first: Number of its first line.
        rule: Name of the rule that found it.
    """

    first: int
    rule: str


@dataclass(frozen=True)
class Reading:
    """The part of a text that the rules search.

    Attributes:
        text: The text.
        end: Number of the line after the last one to search.
        limits: The limits of the conversion.
    """

    text: MarkedText
    end: int
    limits: Limits

    @cached_property
    def lines(self) -> Sequence[str]:
        """Return the lines to search."""
        return self.text.lines[: self.end]

    @cached_property
    def last_answered(self) -> int:
        """Return the last quoted line that is followed by text that is not quoted; -1 if there is none."""
        lines = self.lines
        last_own = next(
            (
                number
                for number in range(self.end - 1, -1, -1)
                if lines[number].strip() and not is_quoted(lines[number]) and not _is_wrapped(lines, number)
            ),
            0,
        )
        return next((number for number in range(last_own - 1, -1, -1) if is_quoted(lines[number])), -1)

    @cached_property
    def last_marked_answered(self) -> int:
        """Return the first line of the last marked quote that is followed by text; -1 if there is none."""
        regions = self.text.of(MarkKind.QUOTE, MarkKind.CITATION)
        answered = (
            region.first
            for region in reversed(regions)
            if region.end < self.end and any(line.strip() for line in self.lines[region.end :])
        )
        return next(answered, -1)

    def candidates(self) -> Iterator[tuple[int, str]]:
        """Yield the lines that can begin a quote, within the limits.

        Yields:
            Line number and line.
        """
        for number in range(min(self.end, self.limits.lines)):
            line = self.lines[number]
            if line and len(line) <= self.limits.line_chars:
                yield number, line


def first_quote(reading: Reading) -> Quote | None:
    """Find the quote that begins first.

    Args:
        reading: The text.

    Returns:
        The quote, or None.
    """
    quotes = [Quote(first, rule) for rule, find_start in RULES.items() if (first := find_start(reading)) is not None]
    quote = min(quotes, key=lambda quote: quote.first, default=None)
    return quote and Quote(_with_labels_above(reading, quote.first), quote.rule)


def marked_quote(reading: Reading) -> int | None:
    """Find a quote that the mail program marked in its HTML, at the end of the text and without answers.

    A plain `blockquote` counts only if an attribution is above it or is its first line, because people also use
    `blockquote` to indent text.

    Args:
        reading: The text.

    Returns:
        Number of the first line, or None.
    """
    regions = [region for region in _quoted_regions(reading) if _has_text(reading, region.first, region.end)]
    if not regions or _has_text(reading, regions[-1].end, reading.end):
        return None
    first = regions[-1]
    for region in reversed(regions[:-1]):
        if _has_text(reading, region.end, first.first):
            return None
        first = region
    if _begins_with_forward(reading, first):
        return None
    return _with_attribution(reading, first)


def marked_headers(reading: Reading) -> int | None:
    """Find the headers of an earlier email in an element that Outlook or Zimbra marked.

    All text below the headers belongs to the earlier email.

    Args:
        reading: The text.

    Returns:
        Number of the first line, or None.
    """
    for region in reading.text.of(MarkKind.HEADERS):
        if region.first < reading.end and looks_like_headers(_nonblank_lines(reading.lines[region.first : region.end])):
            return region.first
    return None


def quoted_lines(reading: Reading) -> int | None:
    """Find lines that begin with `>` up to the end of the text, with an attribution above them or in their first lines.

    Args:
        reading: The text.

    Returns:
        Number of the first line, or None.
    """
    first = reading.end
    for number in range(reading.end - 1, -1, -1):
        line = reading.lines[number]
        if is_quoted(line):
            first = number
        elif line and not _is_wrapped(reading.lines, number):
            break
    if first >= min(reading.end, reading.limits.lines):
        return None
    above = attribution_above(reading.lines, first, marked=False)
    if above is None and _quotes_its_attribution(reading, first):
        above = first
    return None if above is None or _is_quoted_above(reading, above) else above


def attribution(reading: Reading) -> int | None:
    """Find an attribution above an earlier email that has no other mark.

    Args:
        reading: The text.

    Returns:
        Number of the first line, or None.
    """
    for number, line in reading.candidates():
        if is_quoted(line):
            continue
        first = attribution_at(reading.lines, number, Below.NOTHING)
        if first is not None and _is_introduction(reading, first, number):
            return first
    return None


def original_message(reading: Reading) -> int | None:
    """Find `-----Original Message-----`, in any language, above the headers or the text of an earlier email.

    Args:
        reading: The text.

    Returns:
        Number of the first line, or None.
    """
    for number, line in reading.candidates():
        if not is_original_message(line, least=2):
            continue
        below = _next_nonblank(reading, number + 1)
        if below is None or not (is_original_message(line) or begins_with_label(reading.lines[below])):
            continue
        if not _has_answer_below(reading, below):
            return number
    return None


def drawn_attribution(reading: Reading) -> int | None:
    """Find an attribution as Zoho, Notes or GroupWise write it.

    Args:
        reading: The text.

    Returns:
        Number of the first line, or None.
    """
    for number, line in reading.candidates():
        drawn = is_drawn_attribution(line) or is_arrowed(line) or is_notes_header(reading.lines, number)
        if drawn and _next_nonblank(reading, number + 1) is not None:
            return None if _has_answer_below(reading, number + 1) else number
    return None


def header_block(reading: Reading) -> int | None:
    """Find headers of an earlier email (From, Sent, Subject), with the line of dashes above them if there is one.

    Args:
        reading: The text.

    Returns:
        Number of the first line, or None.
    """
    for number, line in reading.candidates():
        if not begins_with_label(line):
            continue
        above = last_written(reading.lines, number)
        adjacent = above == number - 1
        drawn = above is not None and number - above <= _FEW_LINES and is_drawn(reading.lines[above])
        if above is not None and adjacent and not drawn and begins_with_label(reading.lines[above]):
            continue
        if not is_header_block(reading.lines, number, below_separator=drawn and adjacent):
            continue
        if _is_introduced(reading, number) or _has_answer_below(reading, number):
            continue
        return above if drawn and not _closes_signature(reading, above) else number
    return None


RULES: dict[str, Callable[[Reading], int | None]] = {
    "marked-quote": marked_quote,
    "marked-headers": marked_headers,
    "quoted-lines": quoted_lines,
    "attribution": attribution,
    "original-message": original_message,
    "drawn-attribution": drawn_attribution,
    "header-block": header_block,
}


# ---- Helper functions of the rules --------------------------------------------------------------------------------


def is_quoted(line: str) -> bool:
    """Return whether a line begins with `>`.

    `>:` is not a quote, but the end of an attribution that was broken before the bracket of its address.

    Args:
        line: The line.

    Returns:
        True for a quoted line.
    """
    return line.startswith((">", " >", "|>")) and line.strip() != ">:"


def _is_wrapped(lines: Sequence[str], number: int) -> bool:
    """Return whether a line is the second half of a quoted line that was broken and lost its `>`."""
    return (
        0 < number < len(lines) - 1
        and is_quoted(lines[number - 1])
        and len(lines[number - 1]) >= _LONG_LINE
        and is_quoted(lines[number + 1])
        and len(lines[number]) < _LONG_LINE
    )


def _quotes_its_attribution(reading: Reading, first: int) -> bool:
    """Return whether the quote begins with its attribution or headers: `> 4 Dec 2026, at 18:36, Ann Field wrote:`."""
    inner = [line.lstrip(">").strip() for line in reading.lines[first : first + MAX_LINES + 1]]
    ends = (number for number in range(len(inner)) if attribution_at(inner, number, Below.QUOTED) is not None)
    end = next(ends, None)
    if end is None:
        return is_header_block(inner, 0)
    return not any(not line for line in inner[:end])


def _has_answer_below(reading: Reading, first: int) -> bool:
    """Return whether there are quoted lines from this line on, and below them text that is not quoted."""
    return reading.last_answered >= first


def _is_introduction(reading: Reading, first: int, last: int) -> bool:
    """Return whether an earlier email can follow an attribution: there is text below, and no answers between quotes."""
    answered = _has_answer_below(reading, last + 1) or reading.last_marked_answered > last
    return _next_nonblank(reading, last + 1) is not None and not answered


def _closes_signature(reading: Reading, number: int | None) -> bool:
    """Return whether this line of dashes is the lower one of two equal ones that enclose a signature."""
    if number is None:
        return False
    rule = reading.lines[number].strip()
    return any(line.strip() == rule for line in reading.lines[max(0, number - _MAX_ENCLOSED) : number - 1])


def _with_labels_above(reading: Reading, first: int) -> int:
    """Return the first of the lines (dashes, To, Subject) that some mail programs write above the attribution."""
    for number in range(first - 1, max(-1, first - _FEW_LINES - 1), -1):
        line = reading.lines[number]
        if is_drawn(line) and number < first - 1:
            return number
        if not begins_with_label(line):
            break
    return first


def _is_introduced(reading: Reading, number: int) -> bool:
    """Return whether the line above introduces the headers as content ("The headers are:")."""
    above = last_written(reading.lines, number)
    if above is None or is_drawn(reading.lines[above]):
        return False
    line = reading.lines[above].rstrip(" *_")
    return line.endswith((":", "：")) and not is_original_message(line) and number - above <= _FEW_LINES


def _has_text(reading: Reading, first: int, end: int) -> bool:
    return any(line.strip() for line in reading.lines[first:end])


def _quoted_regions(reading: Reading) -> list[Region]:
    """Return the regions marked as quotes. A wrapper without a quote inside counts as a quote."""
    quotes = reading.text.of(MarkKind.QUOTE, MarkKind.CITATION)
    wrappers = [
        wrapper
        for wrapper in reading.text.of(MarkKind.WRAPPER)
        if not any(wrapper.first <= quote.first < wrapper.end for quote in quotes)
    ]
    regions = [region for region in (*quotes, *wrappers) if region.first < reading.end]
    return sorted(regions, key=lambda region: region.first)


def _nonblank_lines(lines: Sequence[str]) -> list[str]:
    return [line for line in lines if line.strip()]


def _next_nonblank(reading: Reading, first: int) -> int | None:
    end = min(reading.end, first + _FEW_LINES)
    return next((number for number in range(first, end) if reading.lines[number].strip()), None)


def _begins_with_forward(reading: Reading, region: Region) -> bool:
    written = _nonblank_lines(reading.lines[region.first : region.end])
    return any(is_forward_line(line) for line in written[:2])


def _with_attribution(reading: Reading, quote: Region) -> int | None:
    """Return the first line of the quote including its attribution; None if a required attribution is missing."""
    certain = quote.mark.kind is not MarkKind.CITATION
    for region in reading.text.of(MarkKind.ATTRIBUTION):
        if region.first < quote.first and not _has_text(reading, region.end, quote.first):
            return region.first
    wrapper = _wrapper_around(reading, quote)
    if wrapper is not None and _is_short_introduction(reading, wrapper.first, quote.first):
        return wrapper.first
    above = attribution_above(reading.lines, quote.first, marked=True)
    if above is not None:
        return above
    if certain or _begins_with_attribution(reading, quote):
        return quote.first
    return None


def _wrapper_around(reading: Reading, quote: Region) -> Region | None:
    for region in reading.text.of(MarkKind.WRAPPER):
        if region.first <= quote.first and quote.end <= region.end:
            return region
    return None


def _is_short_introduction(reading: Reading, first: int, end: int) -> bool:
    written = _nonblank_lines(reading.lines[first:end])
    return (
        0 < len(written) <= _FEW_LINES
        and written[-1].rstrip(" *_").endswith((":", "："))
        and (sum(map(len, written)) <= 400)
    )


def _begins_with_attribution(reading: Reading, quote: Region) -> bool:
    """Return whether the quote begins with its attribution, as Apple Mail writes it."""
    first = _next_nonblank(reading, quote.first)
    if first is None:
        return False
    below = min(quote.end, first + _FEW_LINES + 1)
    return any(
        attribution_above(reading.lines[:number], number, marked=False) == first for number in range(first + 1, below)
    )


def _is_quoted_above(reading: Reading, number: int) -> bool:
    """Return whether quoted lines precede this line. If so, the text between two quotes is an answer."""
    last = last_written(reading.lines, number)
    return last is not None and any(line.startswith(">") for line in reading.lines[:number])
