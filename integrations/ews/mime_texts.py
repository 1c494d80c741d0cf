"""The MIME texts of an answer, kept out of the XML tree: a tree of a 25 MB email takes several times its size.

Base64 holds no `<`, and text in well-formed XML holds none either, so the texts can be found before the answer is parsed. In
their place stands their number.
"""

from __future__ import annotations

import base64
import re

ELEMENT = re.compile(rb"(<(?:\w+:)?MimeContent(?:\s[^<>]*)?>)([^<]++)(?=</)")
BREAK = re.compile(rb"\s|&#(?:x0*[ad]|0*1[03]);", re.I)
"""White space, and a line break as a reference: what writes XML may write it so."""
SIGNS_OF_BREAKS = (b"\n", b" ", b"\r", b"\t", b"&")


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
        if any(self._content.find(sign, start, end) >= 0 for sign in SIGNS_OF_BREAKS):
            return base64.b64decode(BREAK.sub(b"", self._content[start:end]), validate=True)
        return base64.b64decode(memoryview(self._content)[start:end], validate=True)
