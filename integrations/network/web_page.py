"""Recognise an HTML page in place of an answer of an API: a sign-in page, or the page of a gateway."""

from __future__ import annotations

import re

DETAIL = "HTTP 200, a web page: of a sign-in or of a gateway"
"""The detail of an error about such a page."""
LONGEST_PROLOGUE = 4096
"""Bytes before the root element that are searched."""
PAGE = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*+(?:<\?xml[^>]*>\s*+)?(?:<!--(?:[^-]|-(?!->))*+-->\s*+)*+<(?:!doctype\s+html|html)\b", re.I
)


def is_web_page(content: bytes) -> bool:
    """Return whether an answer is an HTML page.

    Args:
        content: The body of the answer.

    Returns:
        True where its root element or document type is `html`.
    """
    return PAGE.match(content[:LONGEST_PROLOGUE]) is not None
