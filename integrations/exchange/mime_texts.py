"""The MIME texts of an answer, kept out of the XML tree: a tree of a 25 MB email takes several times its size.

Base64 holds no `<`, and text in well-formed XML holds none either, so the texts can be found before the answer is parsed. In
their place stands their number.
"""

from __future__ import annotations

import base64
import re

ELEMENT = re.compile(rb"(<(?:\w+:)?MimeContent(?:\s[^<>]*)?>)([^<]+)")


class MimeTexts:
    """The texts of one answer, by their number."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._spans: list[tuple[int, int]] = []
        pieces = []
        at = 0
        for element in ELEMENT.finditer(content):
            start, end = element.span(2)
            pieces += [content[at:start], b"%d" % len(self._spans)]
            self._spans.append((start, end))
            at = end
        self.rest = b"".join([*pieces, content[at:]]) if pieces else content
        """The answer with a number in the place of each text."""

    def decoded(self, number: str) -> bytes:
        """The MIME of this number. Raises ValueError, of which `binascii.Error` is one, when it is no base64."""
        start, end = self._spans[int(number)]
        letters = memoryview(self._content)[start:end]
        if self._content.find(b"\n", start, end) >= 0 or self._content.find(b" ", start, end) >= 0:
            return base64.b64decode(b"".join(bytes(letters).split()), validate=True)
        return base64.b64decode(letters, validate=True)
