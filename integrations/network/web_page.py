"""Recognise an HTML page that a server sent instead of an API answer: a sign-in page, or the page of a gateway."""

from __future__ import annotations

import re

DETAIL = "HTTP 200 with a web page, probably of a sign-in or a gateway"
"""The error detail for an HTML page."""
LONGEST_PROLOGUE = 4096
"""Bytes at the start of an answer that are searched for the root element."""
PAGE = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*+(?:<\?xml[^>]*>\s*+)?(?:<!--(?:[^-]|-(?!->))*+-->\s*+)*+<(?:!doctype\s+html|html)\b", re.I
)


def is_web_page(content: bytes) -> bool:
    """Return whether an answer is an HTML page.

    Args:
        content: The body of the answer.

    Returns:
        True if the root element or the document type of the answer is `html`. Only the first `LONGEST_PROLOGUE`
            bytes are searched.
    """
    return PAGE.match(content[:LONGEST_PROLOGUE]) is not None
