"""Shorten large attachments before parsing, so that a 25 MB email does not take ten times as much memory.

Only unbroken runs of base64 lines are shortened. The beginning of a run stays. A line that is not base64 replaces the
remainder of the run. This line contains the number of bytes that the remainder would have after decoding. That number is
needed for the size of the attachment.
"""

from __future__ import annotations

import re

MAX_RUN_BYTES = 1_400_000
"""Maximum number of bytes that stay of a run. Text in the remainder of a run is not converted."""

RUN = re.compile(rb"(?:^[A-Za-z0-9+/]{20,200}\r?\n)++", re.MULTILINE)
MARK = re.compile(rb"^\*elided (\d{1,12})\*\s*$", re.MULTILINE)


def elided(mime: bytes) -> bytes:
    """Shorten long base64 runs to their first `MAX_RUN_BYTES` bytes.

    Args:
        mime: The email.

    Returns:
        The email, shortened.
    """
    if len(mime) <= MAX_RUN_BYTES:
        return mime
    pieces = []
    at = 0
    for run in RUN.finditer(mime):
        start, end = run.span()
        if end - start <= MAX_RUN_BYTES:
            continue
        keep = mime.rfind(b"\n", start, start + MAX_RUN_BYTES) + 1
        pieces += [mime[at:keep], b"*elided %d*\n" % _decoded_size(mime, keep, end)]
        at = end
    return b"".join([*pieces, mime[at:]]) if pieces else mime


def size_and_rest(payload: bytes) -> tuple[int, bytes]:
    """Split the mark of a shortened part from its content.

    Args:
        payload: The content of a part.

    Returns:
        The number of removed bytes after decoding, and the content without the mark.
    """
    mark = MARK.search(payload)
    return (int(mark.group(1)), payload[: mark.start()] + payload[mark.end() :]) if mark else (0, payload)


def _decoded_size(mime: bytes, start: int, end: int) -> int:
    return (end - start - mime.count(b"\n", start, end) - mime.count(b"\r", start, end)) * 3 // 4
