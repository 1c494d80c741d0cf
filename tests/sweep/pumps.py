"""Pumps: texts of any length that can make a regular expression slow. A piece is repeated between a prefix and a suffix.

Some pumps are used for all expressions. Others are derived from the expression: the piece matches a repeated part of the
expression, the prefix matches everything before that part, and the suffix makes the match fail at the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# The parser of `re` is private, but there is no public one. The parser is the same in Python 3.11 to 3.14.
from re import _constants as codes
from re import _parser as parser
from typing import Any

CHARACTERS = (
    " ", "\t", "\n", "\r", "\u00a0", "\u3000", "\u200b", "\u00ad", "\u200e", "\ufeff", "\u2028", "a", "A", "x",
    "\u00e9", "\u0416", "\u6642", "0", "7", "\u0665", ">", "<", "-", "\u2014", "_", "=", "*", "#", "&", ";",
    ":", "\uff1a", ",", ".", "!", "?", "/", "\\", "|", "(", ")", "[", "]", "{", "\"", "'", "@", "+", "%", "~",
    "\x00",
)  # fmt: skip
"""Characters that are repeated. They are also the examples for character classes."""
PIECES = (
    "\r\n", " \n", "\n ", "> ", "> \n", "-- \n", "a ", "a.", ". ", "a@", "a@b ", "a@b.", "<a", "<a>", "<>",
    "()", "(a", "[1]", "&nbsp;", "&#", "&#0", "&#x0", "=?", "=?utf-8?q?a?=", "https://", "www.", "a-", "a_",
    "a:", "a: b\n", "On ", "On 1 May 2026, A wrote:\n", "From: a\n", "From: a\nSent: 1\nSubject: b\n", "1/",
    "12:00 ", "2026-", "1 ", "+1 ", "\n\n", "\na", "\n>", "</", "<td>", "</p>", "<!--", "-----BEGIN A-----",
    "-----END A-----", "QUJD", "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo\n", "\\/", "/a",
)  # fmt: skip
_BREAKERS = ("\x00", "\n!")
_MAX_MEMBERS = 4


@dataclass(frozen=True, slots=True)
class Pump:
    """A text that consists of `before`, any number of repetitions of `piece`, and `behind`."""

    before: str
    piece: str
    behind: str

    def text(self, repeats: int) -> str:
        return f"{self.before}{self.piece * repeats}{self.behind}"

    def __str__(self) -> str:
        return " ".join(
            filter(None, (self.before and repr(self.before), f"{self.piece!r} * n", self.behind and repr(self.behind)))
        )


def common() -> list[Pump]:
    """Return the pumps that are used for all expressions."""
    return [Pump("x", piece, "!") for piece in (*CHARACTERS, *PIECES)]


def derived(pattern: re.Pattern[Any]) -> list[Pump]:
    """Return the pumps that follow from the structure of an expression."""
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    pumps = list(_derived(parser.parse(source, pattern.flags & ~re.DEBUG), ""))
    return list(dict.fromkeys(pump for pump in pumps if pump.piece))


def _derived(sequence: Iterable[Any], before: str) -> Iterator[Pump]:
    """Yield the pumps of a sequence of items of the parser. `before` is an example of a match of all preceding items."""
    start, items = before, list(sequence)
    for place, (code, given) in enumerate(items):
        if code in _REPEATS:
            least, most, repeated = given
            if most > 1:
                for piece in _examples(repeated):
                    yield from (Pump(before, piece, breaker) for breaker in _BREAKERS)
                    # Adjacent repetitions that match the same text are another cause of quadratic time.
                    yield Pump("", before + piece * min(max(least, 1), 3), "!")
            yield from _derived(repeated, before)
        elif code in _GROUPS:
            for inner in _inner(code, given):
                yield from _derived(inner, before)
        before += _examples([(code, given)])[0]
        if not (code is codes.LITERAL and place + 1 < len(items) and items[place + 1][0] is codes.LITERAL):
            yield Pump("", before[len(start) :], "!")
            yield Pump("", before, "\x00")


_REPEATS = {codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT}
_GROUPS = {codes.SUBPATTERN, codes.BRANCH, codes.ATOMIC_GROUP, codes.ASSERT}


def _inner(code: Any, given: Any) -> list[Any]:
    if code is codes.BRANCH:
        return list(given[1])
    return [given] if code is codes.ATOMIC_GROUP else [given[-1]]


def _examples(sequence: Iterable[Any]) -> list[str]:
    """Return a few short texts that match a sequence. They differ in the first character class or branch."""
    examples = [""]
    for code, given in sequence:
        following = _of_item(code, given) or [""]
        if len(examples) == 1:
            examples = [examples[0] + text for text in following[:_MAX_MEMBERS]]
        else:
            examples = [example + following[0] for example in examples]
    return examples


def _of_item(code: Any, given: Any) -> list[str]:
    if code is codes.LITERAL:
        return [chr(given)]
    if code is codes.ANY:
        return ["a", " "]
    if code is codes.NOT_LITERAL:
        return [sign for sign in CHARACTERS if ord(sign) != given][::9]
    if code is codes.IN:
        return _spread([sign for sign in (*CHARACTERS, *_named(given)) if _belongs(sign, given)])
    if code in _REPEATS:
        return [text * max(1, given[0]) for text in _examples(given[2])]
    if code is codes.BRANCH:
        return [text for branch in given[1] for text in _examples(branch)[:1]]
    return _examples(_inner(code, given)[0]) if code in (codes.SUBPATTERN, codes.ATOMIC_GROUP) else []


def _spread(signs: list[str]) -> list[str]:
    """Return a few characters from the whole list, because a character class can contain blanks, letters and punctuation."""
    return signs[:: max(1, len(signs) // _MAX_MEMBERS)]


def _named(members: Iterable[Any]) -> list[str]:
    return [
        chr(given if code is codes.LITERAL else given[0])
        for code, given in members
        if code in (codes.LITERAL, codes.RANGE)
    ]


def _belongs(sign: str, members: Iterable[Any]) -> bool:
    matches, negated = False, False
    for code, given in members:
        if code is codes.NEGATE:
            negated = True
        elif code is codes.LITERAL:
            matches |= ord(sign) == given
        elif code is codes.RANGE:
            matches |= given[0] <= ord(sign) <= given[1]
        elif code is codes.CATEGORY:
            matches |= re.match(_CATEGORIES[given], sign) is not None
    return matches != negated


_CATEGORIES = {
    codes.CATEGORY_DIGIT: r"\d",
    codes.CATEGORY_NOT_DIGIT: r"\D",
    codes.CATEGORY_SPACE: r"\s",
    codes.CATEGORY_NOT_SPACE: r"\S",
    codes.CATEGORY_WORD: r"\w",
    codes.CATEGORY_NOT_WORD: r"\W",
}
