"""What mail programs and people write around the text of an email, in many languages: `languages.toml`, ready to be asked.

The rules ask for all languages at once: an email in one language quotes one in another, written with a program in a third.
"""

from __future__ import annotations

import tomllib
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Any

_DIRECTION_MARKS = dict.fromkeys([0x200E, 0x200F, 0x061C, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_ALIKE = {0x131: "i", 0x142: "l", 0xF8: "o", 0x2018: "'", 0x2019: "'", 0xA0: " ", 0x202F: " ", 0x3000: " ", 0xFF1A: ":"}
_REMEMBERED = 8192


@lru_cache(_REMEMBERED)
def fold(text: str) -> str:
    """A text for comparing: no capitals, accents, typographic quotes, wide colons or marks of direction."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFD", text.translate(_DIRECTION_MARKS).casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).translate(_ALIKE)


def _read() -> dict[str, dict[str, Any]]:
    with Path(__file__).with_name("languages.toml").open("rb") as file:
        return tomllib.load(file)


_DATA = _read()
LANGUAGES = tuple(name for name in _DATA if name != "any")
"""Their names, as in the file."""


def of_language(language: str, kind: str) -> tuple[str, ...]:
    """One list of one language, folded."""
    return tuple(dict.fromkeys(fold(word) for word in _DATA[language].get(kind, ())))


def is_set(language: str, kind: str) -> bool:
    """Whether a switch is on for one language."""
    return bool(_DATA[language].get(kind, False))


def of_all(kind: str) -> tuple[str, ...]:
    """One list of every language together, folded, the longest first."""
    found = {word for language in _DATA for word in of_language(language, kind)}
    return tuple(sorted(found, key=lambda word: (-len(word), word)))


def is_unspaced(text: str) -> bool:
    """Whether its last letter belongs to a script that puts no blanks between words (or, as Korean, after endings)."""
    last = ord(text[-1])
    return 0x3040 <= last <= 0x30FF or 0x3400 <= last <= 0x9FFF or 0xAC00 <= last <= 0xD7A3 or 0x1100 <= last <= 0x11FF


def ends_with_word(text: str, words: tuple[str, ...]) -> bool:
    """Whether a folded text ends with one of the words, and not in the middle of a longer one."""
    if not text.endswith(words):
        return False
    for word in words:
        if text.endswith(word):
            before = text[-len(word) - 1 : -len(word)]
            if is_unspaced(word) or not before.isalnum():
                return True
    return False
