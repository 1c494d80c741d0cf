"""The rules that find quoted history. Each has a name, says from which line on, and is silent when in doubt.

What all of them have in common: the history goes on to the end. Where somebody wrote below or between the lines of a
quote, the quote is what the answers refer to, and stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from conversion.cleaning.attribution import MOST_LINES, Below, attribution_above, attribution_at, last_written
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
_MOST_ENCLOSED = 12
_LONG_LINE = 60


@dataclass(frozen=True, slots=True)
class Quote:
    """History that begins at this line, and the rule that found it."""

    first: int
    rule: str


@dataclass(frozen=True)
class Reading:
    """A text as the rules read it: up to, but not including, line `end`."""

    text: MarkedText
    end: int
    limits: Limits

    @cached_property
    def lines(self) -> Sequence[str]:
        return self.text.lines[: self.end]

    @cached_property
    def last_answered(self) -> int:
        """The last quoted line below which something was written that is not quoted; -1 if there is none."""
        lines = self.lines
        own = next(
            (
                number
                for number in range(self.end - 1, -1, -1)
                if lines[number].strip() and not is_quoted(lines[number]) and not _is_wrapped(lines, number)
            ),
            0,
        )
        return next((number for number in range(own - 1, -1, -1) if is_quoted(lines[number])), -1)

    @cached_property
    def last_marked_answered(self) -> int:
        """The same by the marks of a mail program: the first line of the last such quote; -1 if there is none."""
        regions = self.text.of(MarkKind.QUOTE, MarkKind.CITATION)
        answered = (
            region.first
            for region in reversed(regions)
            if region.end < self.end and any(line.strip() for line in self.lines[region.end :])
        )
        return next(answered, -1)

    def candidates(self) -> Iterator[tuple[int, str]]:
        """The lines in which something may begin, and their numbers."""
        for number in range(min(self.end, self.limits.lines)):
            line = self.lines[number]
            if line and len(line) <= self.limits.line_chars:
                yield number, line


def first_quote(reading: Reading) -> Quote | None:
    """The earliest line at which a rule sees history begin."""
    found = [Quote(first, rule) for rule, finds in RULES.items() if (first := finds(reading)) is not None]
    quote = min(found, key=lambda quote: quote.first, default=None)
    return quote and Quote(_with_labels_above(reading, quote.first), quote.rule)


def marked_quote(reading: Reading) -> int | None:
    """A quote that the mail program marked in its HTML, at the end, with nothing written below or between.

    A mere `blockquote` counts only with an attribution above it or as its first line: people indent text too.
    """
    regions = [region for region in _quoted_regions(reading) if _written(reading, region.first, region.end)]
    if not regions or _written(reading, regions[-1].end, reading.end):
        return None
    first = regions[-1]
    for region in reversed(regions[:-1]):
        if _written(reading, region.end, first.first):
            return None
        first = region
    if _begins_with_forward(reading, first):
        return None
    return _with_attribution(reading, first)


def marked_headers(reading: Reading) -> int | None:
    """The headers of the earlier email in an element that Outlook marks; the email follows to the end."""
    for region in reading.text.of(MarkKind.HEADERS):
        if region.first < reading.end and looks_like_headers(_written_lines(reading.lines[region.first : region.end])):
            return region.first
    return None


def quoted_lines(reading: Reading) -> int | None:
    """An attribution, and below it lines with `>` up to the end."""
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
    """An attribution that says when and who, above an earlier email that nothing marks as one."""
    for number, line in reading.candidates():
        if is_quoted(line):
            continue
        first = attribution_at(reading.lines, number, Below.NOTHING)
        if first is not None and _is_introduction(reading, first, number):
            return first
    return None


def original_message(reading: Reading) -> int | None:
    """`-----Original Message-----`, in any language, above the headers or the text of an earlier email."""
    for number, line in reading.candidates():
        if not is_original_message(line, least=2):
            continue
        below = _next_written(reading, number + 1)
        if below is None or not (is_original_message(line) or begins_with_label(reading.lines[below])):
            continue
        if not _answered_below(reading, below):
            return number
    return None


def drawn_attribution(reading: Reading) -> int | None:
    """The line of Zoho, Notes and GroupWise between dashes or arrows: who wrote when."""
    for number, line in reading.candidates():
        drawn = is_drawn_attribution(line) or is_arrowed(line) or is_notes_header(reading.lines, number)
        if drawn and _next_written(reading, number + 1) is not None:
            return None if _answered_below(reading, number + 1) else number
    return None


def header_block(reading: Reading) -> int | None:
    """From, Sent, Subject, as Outlook writes them; with the rule that may be drawn above."""
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
        if _is_introduced(reading, number) or _answered_below(reading, number):
            continue
        return above if drawn and not _closes_enclosure(reading, above) else number
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


# ---- what the rules ask -------------------------------------------------------------------------------------------


def is_quoted(line: str) -> bool:
    """Whether a line begins with `>`; not the rule of arrows that GroupWise draws above a quote, nor the end of an address
    that was broken before its bracket."""
    return line.startswith((">", " >", "|>")) and line.strip() != ">:"


def _is_wrapped(lines: Sequence[str], number: int) -> bool:
    """The rest of a quoted line that was broken, and whose second half lost its sign."""
    return (
        0 < number < len(lines) - 1
        and is_quoted(lines[number - 1])
        and len(lines[number - 1]) >= _LONG_LINE
        and is_quoted(lines[number + 1])
        and len(lines[number]) < _LONG_LINE
    )


def _quotes_its_attribution(reading: Reading, first: int) -> bool:
    """Some put the attribution or the headers into the quote: `> 4 Dec 2026, at 18:36, Ann Field wrote:`."""
    inner = [line.lstrip(">").strip() for line in reading.lines[first : first + MOST_LINES + 1]]
    ends = (number for number in range(len(inner)) if attribution_at(inner, number, Below.QUOTED) is not None)
    end = next(ends, None)
    if end is None:
        return is_header_block(inner, 0)
    return not any(not line for line in inner[:end])


def _answered_below(reading: Reading, first: int) -> bool:
    """Whether quoted lines with `>` stand below this line, and something that is not quoted below those."""
    return reading.last_answered >= first


def _is_introduction(reading: Reading, first: int, last: int) -> bool:
    """Whether an earlier email may follow: there is text below, and not somebody's answers between its lines."""
    answered = _answered_below(reading, last + 1) or reading.last_marked_answered > last
    return _next_written(reading, last + 1) is not None and not answered


def _closes_enclosure(reading: Reading, number: int | None) -> bool:
    """Whether this rule is the lower one of two that are alike, with a signature between them."""
    if number is None:
        return False
    rule = reading.lines[number].strip()
    return any(line.strip() == rule for line in reading.lines[max(0, number - _MOST_ENCLOSED) : number - 1])


def _with_labels_above(reading: Reading, first: int) -> int:
    """Some programs write a rule, To and Subject above the attribution: these belong to it."""
    for number in range(first - 1, max(-1, first - _FEW_LINES - 1), -1):
        line = reading.lines[number]
        if is_drawn(line) and number < first - 1:
            return number
        if not begins_with_label(line):
            break
    return first


def _is_introduced(reading: Reading, number: int) -> bool:
    """Whether the line above says that something is shown here ("The headers are:"): then it is content."""
    above = last_written(reading.lines, number)
    if above is None or is_drawn(reading.lines[above]):
        return False
    line = reading.lines[above].rstrip(" *_")
    return line.endswith((":", "：")) and not is_original_message(line) and number - above <= _FEW_LINES


def _written(reading: Reading, first: int, end: int) -> bool:
    return any(line.strip() for line in reading.lines[first:end])


def _quoted_regions(reading: Reading) -> list[Region]:
    """What is marked as quoted. A wrapper without a quote in it is one itself."""
    quotes = reading.text.of(MarkKind.QUOTE, MarkKind.CITATION)
    wrappers = [
        wrapper
        for wrapper in reading.text.of(MarkKind.WRAPPER)
        if not any(wrapper.first <= quote.first < wrapper.end for quote in quotes)
    ]
    found = [region for region in (*quotes, *wrappers) if region.first < reading.end]
    return sorted(found, key=lambda region: region.first)


def _written_lines(lines: Sequence[str]) -> list[str]:
    return [line for line in lines if line.strip()]


def _next_written(reading: Reading, first: int) -> int | None:
    end = min(reading.end, first + _FEW_LINES)
    return next((number for number in range(first, end) if reading.lines[number].strip()), None)


def _begins_with_forward(reading: Reading, region: Region) -> bool:
    written = _written_lines(reading.lines[region.first : region.end])
    return any(is_forward_line(line) for line in written[:2])


def _with_attribution(reading: Reading, quote: Region) -> int | None:
    """Where the history begins, the attribution included; None if a quote that needs one has none."""
    certain = quote.mark.kind is not MarkKind.CITATION
    for region in reading.text.of(MarkKind.ATTRIBUTION):
        if region.first < quote.first and not _written(reading, region.end, quote.first):
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
    written = _written_lines(reading.lines[first:end])
    return (
        0 < len(written) <= _FEW_LINES
        and written[-1].rstrip(" *_").endswith((":", "："))
        and (sum(map(len, written)) <= 400)
    )


def _begins_with_attribution(reading: Reading, quote: Region) -> bool:
    """Apple Mail puts the attribution into the quote."""
    first = _next_written(reading, quote.first)
    if first is None:
        return False
    below = min(quote.end, first + _FEW_LINES + 1)
    return any(
        attribution_above(reading.lines[:number], number, marked=False) == first for number in range(first + 1, below)
    )


def _is_quoted_above(reading: Reading, number: int) -> bool:
    """Whether there are quoted lines above: then what stands between was written between the lines."""
    last = last_written(reading.lines, number)
    return last is not None and any(line.startswith(">") for line in reading.lines[:number])
