"""The closing of a letter: "Kind regards," with a name and an address below it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sync.cleaning.languages import fold, is_unspaced, of_all

MOST_LINES = 16
"""Written lines of a signature that begins with a closing."""
_LONGEST_LINE = 100
_MOST_NAMES = 5
_LONGEST_CLOSING = 80
_SENTENCE_WORDS = 9
_ENDS = " \t,.!;:–—-…~،。、，！*_"
_STRONG, _WEAK = of_all("closings"), of_all("thanks")
_CONNECTORS = frozenset(of_all("connectors"))
_SHORT = 3
"""A closing of so few letters ("br", "t", "mfg") counts only if it is the whole line."""
_POSTSCRIPT = tuple(f"{word}{end}" for word in of_all("postscript") for end in (":", ".", " "))
PARTICLES = (
    "von",
    "van",
    "de",
    "den",
    "der",
    "da",
    "dos",
    "di",
    "del",
    "la",
    "le",
    "el",
    "al",
    "bin",
    "ter",
    "zu",
    "und",
    "and",
    "&",
    "y",
    "e",
)
"""Small words in the names of people."""
_BLANKS = re.compile(r"\s+")


def closing_start(lines: Sequence[str], end: int) -> int | None:
    """The line of the closing in the last lines up to `end`, if nothing below it is content; else None."""
    found, written = None, 0
    for number in range(end - 1, -1, -1):
        line = lines[number].strip()
        if not line:
            continue
        written += 1
        if written > MOST_LINES:
            break
        if _is_closing(line, name_below=written > 1):
            found = number
        elif _is_content(line):
            break
    return found


def _is_closing(line: str, *, name_below: bool) -> bool:
    if len(line) > _LONGEST_CLOSING:
        return False
    text = _BLANKS.sub(" ", fold(line)).strip(_ENDS)
    rest, strong = _without_closings(text)
    if rest is None:
        return False
    if not rest:
        return strong or (name_below and not line.endswith(("!", "！", ".", "。")))
    return (strong or line[: -len(rest)].rstrip().endswith((",", "!", "،"))) and _is_name(rest, line)


def _without_closings(text: str) -> tuple[str | None, bool]:
    """What is left of a line after the closings that it begins with, and whether one of them was a strong one.
    None if it begins with no closing."""
    strong, begun = False, False
    while text:
        phrase = _starts_with(text, _STRONG)
        if phrase:
            strong = True
        else:
            phrase = _starts_with(text, _WEAK)
        if not phrase:
            break
        rest = text[len(phrase) :].strip(_ENDS)
        if len(phrase) <= _SHORT and rest and not is_unspaced(phrase):
            break
        begun, text = True, rest
        first, _, after = text.partition(" ")
        if first in _CONNECTORS and (_starts_with(after, _STRONG) or _starts_with(after, _WEAK)):
            text = after
    return (text if begun else None), strong


def _starts_with(text: str, phrases: tuple[str, ...]) -> str:
    if not text.startswith(phrases):
        return ""
    for phrase in phrases:
        if text.startswith(phrase):
            after = text[len(phrase) : len(phrase) + 1]
            if not after.isalnum():
                return phrase
    return ""


def _is_name(rest: str, line: str) -> bool:
    """Whether what follows a closing in its line is a name: few words, each with a capital, and no sentence."""
    written = line.rstrip()[-len(rest) - 2 :].strip(_ENDS)
    words = written.split()
    if not 0 < len(words) <= _MOST_NAMES or any(character.isdigit() for character in written):
        return False
    return all(not word[0].islower() or word in PARTICLES for word in words)


def _is_content(line: str) -> bool:
    """Whether a line below a closing is content: a postscript, a quote, a list, a question or a whole sentence."""
    if len(line) > _LONGEST_LINE or line.startswith((">", "- ", "* ", "• ")) or line.endswith(("?", "？", "؟")):
        return True
    if line.endswith((":", "：")) and len(line) > 20:
        return True
    if fold(line).startswith(_POSTSCRIPT):
        return True
    return line.endswith((".", "!", "。")) and len(line.split()) > _SENTENCE_WORDS
