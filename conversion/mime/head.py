"""Find the names of the header fields at the beginning of an email, and ignore malformed lines as mail programs do.

The names show whether bytes are an email, or other content that a proxy, a scanner or a damaged store returned instead
of the email. The content of comments is parsed by `conversion.mime.parts`, independently of this module.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MOST = 4 * 1024 * 1024
"""Maximum number of bytes in which header fields are searched. Exchange limits headers to 256 kB."""
BOM = b"\xef\xbb\xbf"
END = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?=[\r\n])")
"""A line end that is followed by an empty line."""
LINE_END = re.compile(rb"\r\n|\n|\r")
FIELD = re.compile(rb"([A-Za-z0-9][!-9;-~]*)[ \t]*:")
"""A field name (RFC 5322 §2.2) that begins with a letter or digit. By the RFC, `{"error"` would also be a name."""
ENVELOPE = re.compile(rb">?From ")
"""The line before each email of an mbox (RFC 4155)."""
MARKUP = (b"<", b"{", b"[", b"HTTP/")
"""Typical beginnings of a web page, a JSON document or an HTTP response."""
EMAIL_FIELDS = frozenset(
    b"from sender to cc bcc reply-to subject date message-id received return-path mime-version in-reply-to references "
    b"resent-from resent-to resent-date thread-topic thread-index importance x-mailer delivered-to dkim-signature".split()
)


def field_names(mime: bytes) -> frozenset[bytes]:
    """Return the names of the header fields. Lines that are not fields are skipped.

    Args:
        mime: The email.

    Returns:
        The names in lower case.
    """
    return frozenset(name for line in _lines(mime) if (name := _name(line)))


def reason_not_an_email(mime: bytes, *, has_message_id: bool, listed: bool) -> str:
    """Check whether bytes are an email.

    Args:
        mime: The bytes.
        has_message_id: Whether a Message-ID was parsed from the bytes.
        listed: Whether the server lists a Message-ID for the email. It may differ from the parsed one.

    Returns:
        The reason why the bytes are not an email; empty if they are one.
    """
    if not mime or mime.isspace():
        return "it is empty"
    names = field_names(mime)
    if not _begins_with_fields(mime, names):
        return "it does not begin with header fields"
    if not (_has_end(mime) or mime.endswith((b"\n", b"\r"))):
        return "it ends within its header"
    # A Message-ID after a malformed line is not parsed, but is in `names`.
    if listed and not has_message_id and b"message-id" not in names:
        return "it has no Message-ID"
    return ""


def _begins_with_fields(mime: bytes, names: frozenset[bytes]) -> bool:
    known = EMAIL_FIELDS & names
    first = next((line for line in _lines(mime) if not ENVELOPE.match(line)), b"")
    if first.startswith(MARKUP):
        return b"message-id" in known
    if not _name(first):
        return len(known) > 1  # a malformed line precedes the fields
    return bool(known) or (_has_end(mime) and all(_is_field(line) for line in _lines(mime)))


def _has_end(mime: bytes) -> bool:
    return END.search(mime) is not None


def _lines(mime: bytes) -> Iterator[bytes]:
    """Yield the lines of the header, without a byte order mark and white space before the first line."""
    begun = mime[:MOST].removeprefix(BOM).lstrip()
    end = END.search(begun)
    at, length = 0, end.start() if end else len(begun)
    while at < length:
        line_end = LINE_END.search(begun, at, length)
        yield begun[at : line_end.start() if line_end else length]
        at = line_end.end() if line_end else length


def _name(line: bytes) -> bytes:
    match = FIELD.match(line)
    return match[1].lower() if match else b""


def _is_field(line: bytes) -> bool:
    """Return whether a line begins or continues a field, or is the envelope line of an mbox."""
    return bool(_name(line) or line[:1] in (b" ", b"\t") or ENVELOPE.match(line))
