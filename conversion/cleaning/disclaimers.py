"""Legal disclaimers at the end of an email: confidentiality, viruses, paper saving."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conversion.cleaning.languages import LANGUAGES, fold, of_all, of_language

_SHORTEST = 40
"""Minimum length in characters of a paragraph that is recognised as a disclaimer by its words. Shorter lines directly
above a disclaimer belong to the signature."""
_LEAST_WORDS = 3
_MAX_PARAGRAPHS = 12
_RULES = " \t-_=*"
_WORDS = {language: of_language(language, "disclaimer") for language in LANGUAGES}
_ANY_WORD = of_all("disclaimer")
_BEGINNINGS = of_all("small_print")


def disclaimer_start(lines: Sequence[str], end: int) -> int | None:
    """Find the disclaimer at the end of a text. A disclaimer can have several paragraphs.

    Args:
        lines: The text.
        end: Number of the line after the last one to search.

    Returns:
        Number of the first line of the disclaimer, or None.
    """
    start = None
    for first, below in _paragraphs_from_below(lines, end):
        if any(line.startswith(">") for line in lines[first:below]):
            break
        text = fold(" ".join(line.strip() for line in lines[first:below]))
        if not _is_disclaimer(text):
            # A short paragraph between two disclaimers is skipped, such as a heading in another language.
            if start is None or len(text) > _SHORTEST:
                break
            continue
        start = _without_name_above(lines, first, below)
        if start > first:
            break
    return start


def _paragraphs_from_below(lines: Sequence[str], end: int) -> Iterator[tuple[int, int]]:
    number = end
    for _ in range(_MAX_PARAGRAPHS):
        while number > 0 and not lines[number - 1].strip(_RULES):
            number -= 1
        below = number
        while number > 0 and lines[number - 1].strip(_RULES):
            number -= 1
        if number < below:
            yield number, below


def _is_disclaimer(text: str) -> bool:
    text = text.strip(" *_[]()-")
    if text.startswith(_BEGINNINGS):
        return True
    if len(text) < _SHORTEST or text.endswith("?"):
        return False
    return any(sum(word in text for word in words) >= _LEAST_WORDS for words in _WORDS.values())


def _without_name_above(lines: Sequence[str], first: int, below: int) -> int:
    """Return the first line of the disclaimer in its paragraph.

    Short lines at the beginning of the paragraph are not part of the disclaimer: a closing, a name or an address.
    """
    for number in range(first, below):
        text = fold(lines[number]).strip(" *_[]()-")
        if len(text) >= _SHORTEST or text.startswith(_BEGINNINGS) or any(word in text for word in _ANY_WORD):
            return number
    return first
