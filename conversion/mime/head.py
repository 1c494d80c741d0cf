"""The header fields that an email begins with, by their names: read from its bytes, as leniently as mail programs read them.

It tells an email from what a proxy, a scanner or a damaged store hands out in its place. What a comment is made of is read by
`conversion.mime.parts`, and nothing here changes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MOST = 4 * 1024 * 1024
"""Bytes that are looked at. Exchange takes headers of 256 kB."""
BOM = b"\xef\xbb\xbf"
END = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?=[\r\n])")
"""The end of a line behind which an empty line stands."""
LINE_END = re.compile(rb"\r\n|\n|\r")
FIELD = re.compile(rb"([A-Za-z0-9][!-9;-~]*)[ \t]*:")
"""A name of a field (RFC 5322 §2.2) that a program could have written. Any name may; `{"error"` is one by the letter, too."""
ENVELOPE = re.compile(rb">?From ")
"""The line that stands before each email of an mbox (RFC 4155)."""
MARKUP = (b"<", b"{", b"[", b"HTTP/")
"""How a page, a document or the answer of a server begins."""
OF_EMAILS = frozenset(
    b"from sender to cc bcc reply-to subject date message-id received return-path mime-version in-reply-to references "
    b"resent-from resent-to resent-date thread-topic thread-index importance x-mailer delivered-to dkim-signature".split()
)


def field_names(mime: bytes) -> frozenset[bytes]:
    """Those of the header, in lower case. A line that is no field hides no other."""
    return frozenset(name for line in _lines(mime) if (name := _name(line)))


def what_is_wrong(mime: bytes, *, names_itself: bool, listed: bool) -> str:
    """Why these bytes are no email; blank where they are one.

    `names_itself`: whether a Message-ID was read from them. `listed`: whether the server lists one, which need not be equal.
    """
    if not mime or mime.isspace():
        return "it is empty"
    names = field_names(mime)
    if not _begins_with_fields(mime, names):
        return "it does not begin with header fields"
    if not (_has_end(mime) or mime.endswith((b"\n", b"\r"))):
        return "it ends within its header"
    # One that stands behind a broken line is not read, and is there.
    if listed and not names_itself and b"message-id" not in names:
        return "it has no Message-ID"
    return ""


def _begins_with_fields(mime: bytes, names: frozenset[bytes]) -> bool:
    known = OF_EMAILS & names
    first = next((line for line in _lines(mime) if not ENVELOPE.match(line)), b"")
    if first.startswith(MARKUP):
        return b"message-id" in known
    if not _name(first):
        return len(known) > 1  # a broken line stands before them
    return bool(known) or (_has_end(mime) and all(_is_field(line) for line in _lines(mime)))


def _has_end(mime: bytes) -> bool:
    return END.search(mime) is not None


def _lines(mime: bytes) -> Iterator[bytes]:
    """Of the header, without what may stand before it."""
    begun = mime[:MOST].removeprefix(BOM).lstrip()
    end = END.search(begun)
    at, length = 0, end.start() if end else len(begun)
    while at < length:
        line_end = LINE_END.search(begun, at, length)
        yield begun[at : line_end.start() if line_end else length]
        at = line_end.end() if line_end else length


def _name(line: bytes) -> bytes:
    found = FIELD.match(line)
    return found[1].lower() if found else b""


def _is_field(line: bytes) -> bool:
    """Or goes on with one, or is the line before the first."""
    return bool(_name(line) or line[:1] in (b" ", b"\t") or ENVELOPE.match(line))
