"""Functions that took quadratic time in an earlier version. Each must take at most linear time."""

from __future__ import annotations

from collections.abc import Callable

from conversion.cleaning.text import without_trailing_blanks
from conversion.mime.encoded_words import decode_header
from integrations.certificates import labelled_blocks
from tests.sweep.growth import growth
from tests.sweep.sweep import Failure

_WORDS = ["=?utf-8?q?a?=", "=?utf-8?q?a?= ", "=?a?b?c", "=?utf-8?q?a?=b", "=?l?q?a?= =?u?q?b?= ", "=?"]
_BLOCKS = ["-----BEGIN A-----", "-----BEGIN A-----\n-----END B-----\n", "-----END A-----", "-"]
_BLANKS = [" ", "\t", "\u00a0", "\u3000", " \r"]

FUNCTIONS: dict[str, tuple[Callable[[str], object], list[str]]] = {
    "decode_header": (decode_header, _WORDS),
    "labelled_blocks": (labelled_blocks, _BLOCKS),
    "without_trailing_blanks": (lambda text: without_trailing_blanks(f"a{text}x"), _BLANKS),
}
"""By name: the function, and the pieces of text. The function is called with many repetitions of each piece."""


def sweep_function(name: str) -> list[Failure]:
    """Return the failures of one of `FUNCTIONS`."""
    call, pieces = FUNCTIONS[name]
    results = [(piece, growth(call, piece.__mul__, len(piece))) for piece in pieces]
    return [Failure(f"function: {name}", repr(piece), result) for piece, result in results if result.fails]
