"""The rules that find quoted history. Each has a name, says from which line on, and is silent when in doubt.

What all of them have in common: the history goes on to the end. Where somebody wrote below or between the lines of a
quote, the quote is what the answers refer to, and stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sync.cleaning import words
from sync.cleaning.attribution import attribution_above, last_written
from sync.cleaning.forwards import is_forward_line
from sync.cleaning.header_block import is_header_block, looks_like_headers
from sync.cleaning.marked_text import MarkedText, MarkKind, Region
from sync.limits import Limits

_FEW_LINES = 4
_SHORTEST_RULE = 10


@dataclass(frozen=True, slots=True)
class Quote:
    """History that begins at this line, and the rule that found it."""

    first: int
    rule: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as the rules read it: up to, but not including, line `end`."""

    text: MarkedText
    end: int
    limits: Limits

    @property
    def lines(self) -> Sequence[str]:
        return self.text.lines

    def candidates(self) -> Iterator[tuple[int, str]]:
        """The lines in which something may begin, and their numbers."""
        for number in range(min(self.end, self.limits.lines)):
            line = self.lines[number]
            if line and len(line) <= self.limits.line_chars:
                yield number, line


def first_quote(reading: Reading) -> Quote | None:
    """The earliest line at which a rule sees history begin."""
    found = [Quote(first, rule) for rule, finds in RULES.items() if (first := finds(reading)) is not None]
    return min(found, key=lambda quote: quote.first, default=None)


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
        if line.startswith(">"):
            first = number
        elif line:
            break
    if first >= min(reading.end, reading.limits.lines):
        return None
    above = attribution_above(reading.lines, first, marked=False)
    return None if above is None or _is_quoted_above(reading, above) else above


def original_message(reading: Reading) -> int | None:
    """`-----Original Message-----`, in any language, with a header block right below."""
    for number, line in reading.candidates():
        if line.startswith("--") and line.strip(" -").casefold() in words.ORIGINAL_MESSAGE:
            below = _next_written(reading, number + 1)
            if below is not None and is_header_block(reading.lines[: reading.end], below):
                return number
    return None


def header_block(reading: Reading) -> int | None:
    """From, Sent, Subject, with a blank line or a drawn one above, as Outlook writes them."""
    for number, line in reading.candidates():
        if ":" not in line and "：" not in line:
            continue
        above = reading.lines[number - 1].strip() if number else ""
        if not above.strip("_-") and is_header_block(reading.lines[: min(reading.end, number + 10)], number):
            return number - 1 if len(above) >= _SHORTEST_RULE else number
    return None


RULES: dict[str, Callable[[Reading], int | None]] = {
    "marked-quote": marked_quote,
    "marked-headers": marked_headers,
    "quoted-lines": quoted_lines,
    "original-message": original_message,
    "header-block": header_block,
}


# ---- what the rules ask -------------------------------------------------------------------------------------------


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
