"""Text in lines, and what the HTML it came from knew about some of them: here a quote begins, there a signature ends.

While HTML becomes text, one character stands where a marked element begins and one where it ends. Both are
"noncharacters" of Unicode (U+FDD0 … U+FDEF, meant for such inner use), which no email may bring along.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

_FIRST_OPENING, _CLOSING = 0xFDD0, "\ufdef"
MOST_MARKS = ord(_CLOSING) - _FIRST_OPENING
"""How many different marks can be told apart."""
_SIGN = re.compile("([\ufdd0-\ufdef])")


class MarkKind(Enum):
    """What an element that some mail program left means for the lines in it."""

    QUOTE = "quote"
    """The history, beyond doubt."""
    CITATION = "citation"
    """The history if an attribution goes before it; else somebody may have indented their own words."""
    ATTRIBUTION = "attribution"
    """The line that introduces the history."""
    WRAPPER = "wrapper"
    """Holds the attribution and the history, and also what was written between the lines of it."""
    HEADERS = "headers"
    """The headers of the earlier email, which follows up to the end."""
    FORWARD = "forward"
    """A forwarded email: content."""
    SIGNATURE = "signature"


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark that a mail program leaves: the name of the rule, what it means, and how to find it (CSS)."""

    rule: str
    kind: MarkKind
    selector: str


@dataclass(frozen=True, slots=True)
class Region:
    """The lines of one marked element: `first` up to, but not including, `end`."""

    mark: Mark
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class MarkedText:
    """Lines, and the regions that are marked in them, in the order in which they begin."""

    lines: tuple[str, ...]
    regions: tuple[Region, ...] = ()

    def of(self, *kinds: MarkKind) -> list[Region]:
        """The regions of these kinds, without those that lie inside another one of them."""
        outer: list[Region] = []
        for region in self.regions:
            if region.mark.kind in kinds and (not outer or region.first >= outer[-1].end):
                outer.append(region)
        return outer


def opening(number: int) -> str:
    """The sign for the beginning of an element with this mark (by its number)."""
    return chr(_FIRST_OPENING + number)


def closing() -> str:
    """The sign for the end of a marked element."""
    return _CLOSING


def read_signs(text: str, marks: Sequence[Mark]) -> MarkedText:
    """The lines of a text and the regions between its signs, which are gone afterwards.

    A line that holds nothing but signs is no line. One with a sign in its middle becomes two.
    """
    lines: list[str] = []
    regions: list[Region | None] = []
    opened: list[tuple[int, int, Mark]] = []  # place in `regions`, first line, mark
    for line in text.split("\n"):
        pieces = _SIGN.split(line) if _SIGN.search(line) else [line]
        for place, piece in enumerate(pieces):
            if place % 2 == 0:
                if piece.strip() or len(pieces) == 1:
                    lines.append(piece)
            elif piece != _CLOSING:
                number = ord(piece) - _FIRST_OPENING
                if number < len(marks):
                    opened.append((len(regions), len(lines), marks[number]))
                    regions.append(None)
            elif opened:
                index, first, mark = opened.pop()
                regions[index] = Region(mark, first, max(first, len(lines)))
    for index, first, mark in opened:
        regions[index] = Region(mark, first, len(lines))
    return MarkedText(tuple(lines), tuple(region for region in regions if region is not None))


def joined(texts: Iterable[MarkedText]) -> MarkedText:
    """These texts one below the other, a blank line between."""
    lines: list[str] = []
    regions: list[Region] = []
    for text in texts:
        if lines and text.lines:
            lines.append("")
        regions += [Region(r.mark, r.first + len(lines), r.end + len(lines)) for r in text.regions]
        lines += text.lines
    return MarkedText(tuple(lines), tuple(regions))
