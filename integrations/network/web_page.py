"""A page for people where an answer for programs should be: somebody is to sign in there, or a gateway answers."""

from __future__ import annotations

import re

DETAIL = "HTTP 200, a web page: somebody is to sign in there, or a gateway answers"
LONGEST_PROLOGUE = 4096
PAGE = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*+(?:<\?xml[^>]*>\s*+)?(?:<!--(?:[^-]|-(?!->))*+-->\s*+)*+<(?:!doctype\s+html|html)\b", re.I
)


def is_web_page(content: bytes) -> bool:
    return PAGE.match(content[:LONGEST_PROLOGUE]) is not None
