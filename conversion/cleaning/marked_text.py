"""Text in lines, with the regions that mail programs marked in the HTML, such as quotes and signatures.

While HTML is converted to text, one sign character marks the beginning of a marked element and another its end. The
signs are Unicode noncharacters (U+FDD0 to U+FDEF, intended for internal use). If an email contains them, they are
removed before the conversion.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

_FIRST_OPENING, _CLOSING = 0xFDD0, "\ufdef"
MAX_MARKS = ord(_CLOSING) - _FIRST_OPENING
"""Maximum number of different marks."""
_SIGN = re.compile("([\ufdd0-\ufdef])")


class MarkKind(Enum):
    """The meaning of the lines in a marked element."""

    QUOTE = "quote"
    """Always a quote of earlier emails."""
    CITATION = "citation"
    """A quote only if it has an attribution. Without one, it may be text that the author indented."""
    ATTRIBUTION = "attribution"
    """The line that introduces a quote, such as "Ann wrote:"."""
    WRAPPER = "wrapper"
    """An element around the attribution, the quote, and text that was written between the quoted lines."""
    HEADERS = "headers"
    """The headers of an earlier email. All text below them belongs to that email."""
    FORWARD = "forward"
    """A forwarded email. It is content, and is not cut."""
    SIGNATURE = "signature"


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark of a mail program.

    Attributes:
        rule: Name of the mark, such as `gmail-quote`.
        kind: What the mark means.
        selector: CSS selector of the marked elements.
    """

    rule: str
    kind: MarkKind
    selector: str


@dataclass(frozen=True, slots=True)
class Region:
    """The lines of one marked element.

    Attributes:
        mark: The mark.
        first: Number of the first line.
        end: Number of the line after the last one.
    """

    mark: Mark
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A text with its marked regions.

    Attributes:
        lines: The lines.
        regions: The regions, in the order of their first lines.
    """

    lines: tuple[str, ...]
    regions: tuple[Region, ...] = ()

    def of(self, *kinds: MarkKind) -> list[Region]:
        """Return the outermost regions of these kinds.

        Args:
            kinds: The kinds.

        Returns:
            The regions of these kinds that are not inside of another region of these kinds.
        """
        outer: list[Region] = []
        for region in self.regions:
            if region.mark.kind in kinds and (not outer or region.first >= outer[-1].end):
                outer.append(region)
        return outer


def opening(number: int) -> str:
    """Return the sign character for the beginning of an element.

    Args:
        number: Index of the mark.

    Returns:
        One character.
    """
    return chr(_FIRST_OPENING + number)


def closing() -> str:
    """Return the sign character for the end of an element."""
    return _CLOSING


def read_signs(text: str, marks: Sequence[Mark]) -> MarkedText:
    """Convert a text with sign characters to lines and regions.

    A line with only signs is removed. A line with text before and after a sign is split at the sign.

    Args:
        text: The text.
        marks: The marks, by index.

    Returns:
        The text without signs, and its regions.
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
    """Join texts with a blank line between them.

    Args:
        texts: The texts.

    Returns:
        One text.
    """
    lines: list[str] = []
    regions: list[Region] = []
    for text in texts:
        if lines and text.lines:
            lines.append("")
        regions += [Region(r.mark, r.first + len(lines), r.end + len(lines)) for r in text.regions]
        lines += text.lines
    return MarkedText(tuple(lines), tuple(regions))
