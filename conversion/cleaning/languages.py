"""Words that mail programs and people write around the text of an email, in many languages, from `languages.toml`.

The rules search in all languages at once: an email in one language can quote an email in another, written with a mail
program in a third.
"""

from __future__ import annotations

import tomllib
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Any

_DIRECTION_MARKS = dict.fromkeys([0x200E, 0x200F, 0x061C, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_EQUIVALENTS = {
    0x131: "i",
    0x142: "l",
    0xF8: "o",
    0x2018: "'",
    0x2019: "'",
    0xA0: " ",
    0x202F: " ",
    0x3000: " ",
    0xFF1A: ":",
}
_CACHE_SIZE = 8192


@lru_cache(_CACHE_SIZE)
def fold(text: str) -> str:
    """Normalise a text for comparison: lower case, no accents and direction marks, plain quotes, blanks and colons.

    Args:
        text: The text.

    Returns:
        The normalised text.
    """
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFD", text.translate(_DIRECTION_MARKS).casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).translate(_EQUIVALENTS)


def _read() -> dict[str, dict[str, Any]]:
    with Path(__file__).with_name("languages.toml").open("rb") as file:
        return tomllib.load(file)


_DATA = _read()
LANGUAGES = tuple(name for name in _DATA if name != "any")
"""Names of the languages in the file."""


def of_language(language: str, kind: str) -> tuple[str, ...]:
    """Return one list of one language, folded.

    Args:
        language: Name of the language in the file.
        kind: Name of the list.

    Returns:
        The words; empty if the language has no such list.
    """
    return tuple(dict.fromkeys(fold(word) for word in _DATA[language].get(kind, ())))


def is_set(language: str, kind: str) -> bool:
    """Return whether a switch is on for a language.

    Args:
        language: Name of the language in the file.
        kind: Name of the switch.

    Returns:
        False if the language does not have the switch.
    """
    return bool(_DATA[language].get(kind, False))


def of_all(kind: str) -> tuple[str, ...]:
    """Return one list of all languages together, folded.

    Args:
        kind: Name of the list.

    Returns:
        The words, longest first.
    """
    words = {word for language in _DATA for word in of_language(language, kind)}
    return tuple(sorted(words, key=lambda word: (-len(word), word)))


def is_unspaced(text: str) -> bool:
    """Return whether the last character belongs to a script without spaces between words.

    Korean counts as such a script, because it has no space before suffixes.

    Args:
        text: A non-empty text.

    Returns:
        True for such a script.
    """
    last = ord(text[-1])
    return 0x3040 <= last <= 0x30FF or 0x3400 <= last <= 0x9FFF or 0xAC00 <= last <= 0xD7A3 or 0x1100 <= last <= 0x11FF


def ends_with_word(text: str, words: tuple[str, ...]) -> bool:
    """Return whether a folded text ends with one of the words, as a whole word.

    Args:
        text: The folded text.
        words: The folded words.

    Returns:
        True if it does.
    """
    if not text.endswith(words):
        return False
    for word in words:
        if text.endswith(word):
            before = text[-len(word) - 1 : -len(word)]
            if is_unspaced(word) or not before.isalnum():
                return True
    return False
