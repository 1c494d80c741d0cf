"""Keep the MIME texts of a response out of the XML tree: in a tree, a 25 MB email takes several times its size.

Neither Base64 nor text in well-formed XML contains `<`, so the texts can be found before the response is parsed. Each
text is replaced by a number.
"""

from __future__ import annotations

import base64
import re

ELEMENT = re.compile(rb"(<(?:\w+:)?MimeContent(?:\s[^<>]*)?>)([^<]++)(?=</)")
BREAK = re.compile(rb"\s|&#(?:x0*[ad]|0*1[03]);", re.I)
"""White space, or LF or CR as a character reference, which XML writers may produce."""
BREAK_SIGNS = (b"\n", b" ", b"\r", b"\t", b"&")


class MimeTexts:
    """The MIME texts of one response, by number.

    Attributes:
        rest: The response with a number in place of each text.
    """

    def __init__(self, content: bytes) -> None:
        """Find the texts.

        Args:
            content: Body of the response.
        """
        self._content = content
        self._spans: list[tuple[int, int]] = []
        pieces = []
        position = 0
        for element in ELEMENT.finditer(content):
            start, end = element.span(2)
            pieces += [content[position:start], b"%d" % len(self._spans)]
            self._spans.append((start, end))
            position = end
        self.rest = b"".join([*pieces, content[position:]]) if pieces else content

    def decoded(self, number: str) -> bytes:
        """Return one MIME text.

        Args:
            number: Number that replaced the text.

        Returns:
            Decoded MIME.

        Raises:
            ValueError: The text is not Base64 (as `binascii.Error`), or `number` is not a number.
            IndexError: No text has this number.
        """
        start, end = self._spans[int(number)]
        if any(self._content.find(sign, start, end) >= 0 for sign in BREAK_SIGNS):
            return base64.b64decode(BREAK.sub(b"", self._content[start:end]), validate=True)
        return base64.b64decode(memoryview(self._content)[start:end], validate=True)
