"""Takes the inside of large attachments out before parsing, so that a 25 MB email costs no tenfold of it in memory.

Only unbroken runs of base64 lines are shortened, and their beginning is kept; what is left out is counted in a line that is
no base64, for the size of the attachment.
"""

from __future__ import annotations

import re

KEPT = 1_400_000
"""Bytes of a run that stay: more than any text we would read out of it."""

RUN = re.compile(rb"(?:^[A-Za-z0-9+/]{20,200}\r?\n)++", re.MULTILINE)
MARK = re.compile(rb"^\*elided (\d{1,12})\*\s*$", re.MULTILINE)


def elided(mime: bytes) -> bytes:
    """The email with its long base64 runs cut to their first `KEPT` bytes."""
    if len(mime) <= KEPT:
        return mime
    pieces = []
    at = 0
    for run in RUN.finditer(mime):
        start, end = run.span()
        if end - start <= KEPT:
            continue
        keep = mime.rfind(b"\n", start, start + KEPT) + 1
        pieces += [mime[at:keep], b"*elided %d*\n" % _decoded_size(mime, keep, end)]
        at = end
    return b"".join([*pieces, mime[at:]]) if pieces else mime


def size_and_rest(payload: bytes) -> tuple[int, bytes]:
    """How many decoded bytes were left out of a part, and what there is of it."""
    mark = MARK.search(payload)
    return (int(mark.group(1)), payload[: mark.start()] + payload[mark.end() :]) if mark else (0, payload)


def _decoded_size(mime: bytes, start: int, end: int) -> int:
    return (end - start - mime.count(b"\n", start, end) - mime.count(b"\r", start, end)) * 3 // 4
