"""Warnings that mail gateways insert above emails from outside.

Example: "CAUTION: this email originated from outside the organisation".
"""

from __future__ import annotations

from collections.abc import Sequence

from conversion.cleaning.languages import fold, of_all
from conversion.limits import Limits

_MAX_PARAGRAPHS = 3
_MAX_LINES = 8
_MAX_CHARS = 1000
_SIGNS = " *[]()<>!|:-_=+#⚠️\ufe0f🛑🚨【】"
_PHRASES, _FURTHER_PHRASES = of_all("banner"), of_all("banner_goes_on")
_RARE_SENDER, _WARNINGS = of_all("rare_sender"), of_all("warning")


def banner_end(lines: Sequence[str], limits: Limits) -> int:
    """Find the end of the banners at the beginning of a text.

    Args:
        lines: The text.
        limits: The limits of the conversion.

    Returns:
        Number of the first line below the banners; 0 if there is no banner.
    """
    end = number = 0
    for _ in range(_MAX_PARAGRAPHS):
        while number < len(lines) and (not lines[number].strip() or not lines[number].strip(_SIGNS)):
            number += 1
        below = number
        while below < len(lines) and lines[below].strip() and below - number < _MAX_LINES:
            below += 1
        above = _banner_in(lines[number:below], limits)
        if not above:
            break
        end = number = number + above
    while 0 < end < len(lines) and not lines[end].strip(_SIGNS):
        end += 1
    return end


def _banner_in(paragraph: Sequence[str], limits: Limits) -> int:
    """Return how many lines at the beginning of a paragraph are a banner."""
    if sum(map(len, paragraph)) > min(_MAX_CHARS, limits.line_chars) * 2 or not paragraph:
        return 0
    texts = [fold(line) for line in paragraph]
    joined = " ".join(texts)
    if not any(phrase in joined for phrase in (*_PHRASES, *_RARE_SENDER)):
        return 0
    warns = texts[0].strip(_SIGNS).startswith(_WARNINGS)
    rare = any(phrase in joined for phrase in _RARE_SENDER)
    if not (warns or rare):
        return 0
    hits = [
        number
        for number, text in enumerate(texts)
        if any(phrase in text for phrase in (*_PHRASES, *_FURTHER_PHRASES, *_RARE_SENDER)) or (number == 0 and warns)
    ]
    if not hits or hits[0] > 1:
        return 0
    end = _end_of_run(hits)
    while end < len(paragraph) and paragraph[end][:1].islower():
        end += 1
    return end


def _end_of_run(hits: list[int]) -> int:
    """Return the line after the first run of hits. A run may have gaps of one line."""
    last = hits[0]
    for number in hits[1:]:
        if number - last > 2:
            break
        last = number
    return last + 1
