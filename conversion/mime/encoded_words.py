"""Encoded words (RFC 2047) taken apart as `email.header.decode_header` does it, in linear time.

That function takes quadratic time for a long header: it takes its words from the front of a list, adds each to all before it,
and looks for the end of every word that has none through the whole rest.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from email.quoprimime import header_decode as undone_quoted_printable
from itertools import groupby

_START = re.compile(r"=\?([^?]*)\?([qQbB])\?")
_END = "?="


def decode_header(text: str) -> list[tuple[bytes | str, str | None]]:
    """The pieces of a header: bytes with their charset, or None for what is not encoded. A header without any encoded word is
    one piece of text. Raises `ValueError` for words that are no base64."""
    if not any(next(_encoded(line), None) for line in text.split("\n")):
        return [(text, None)]
    words = _without_blanks_between([word for line in text.splitlines() for word in _words(line)])
    return [
        ((b" " if charset is None else b"").join(_undone(word, encoding) for word, encoding, _ in group), charset)
        for charset, group in groupby(words, lambda word: word[2])
    ]


def _words(line: str) -> Iterator[tuple[str, str, str | None]]:
    """Each piece of a line that is not empty, with its encoding ("" for none) and its charset."""
    at = len(line) - len(line.lstrip())
    for start, end in _encoded(line):
        if plain := line[at : start.start()]:
            yield plain, "", None
        yield line[start.end() : end], start[2].lower(), start[1].lower()
        at = end + len(_END)
    if plain := line[at:]:
        yield plain, "", None


def _encoded(line: str) -> Iterator[tuple[re.Match[str], int]]:
    """The start of each encoded word and the place of its end. Where one has no end, no later one has."""
    at = 0
    while (start := _START.search(line, at)) and (end := line.find(_END, start.end())) >= 0:
        yield start, end
        at = end + len(_END)


def _without_blanks_between(words: list[tuple[str, str, str | None]]) -> list[tuple[str, str, str | None]]:
    """Without the white space between two encoded words, which only separates them (RFC 2047 §6.2)."""
    return [
        word
        for number, word in enumerate(words)
        if not (0 < number < len(words) - 1 and words[number - 1][1] and words[number + 1][1] and word[0].isspace())
    ]


def _undone(word: str, encoding: str) -> bytes:
    if encoding == "b":
        return binascii.a2b_base64((word + "=" * (-len(word) % 4)).encode("raw-unicode-escape"))
    return (undone_quoted_printable(word) if encoding else word).encode("raw-unicode-escape")
