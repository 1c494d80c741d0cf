"""Limits on how much of an email is processed.

The limits are counts and sizes, never times: the same bytes give the same comment on any machine.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of the conversion. Each value is a maximum.

    Content that exceeds a limit is cut. There are three exceptions: `depth`, `lines` and `line_chars`. If the email, its
    parts or a text of the comment was cut, the comment is marked as truncated. The comment is not marked if only headers,
    addresses, attachments or properties were cut.
    """

    mime_bytes: int = 25 * 1024 * 1024
    """Size of an email in bytes, without the content of its large attachments."""
    header_chars: int = 16 * 1024
    """Length of one header in characters. Address headers may be longer: see `conversion.mime.headers`."""
    parts: int = 1000
    """Number of MIME parts."""
    depth: int = 100
    """Nesting depth of MIME parts. An email beyond this depth is refused and becomes a dead letter."""
    text_chars: int = 1_000_000
    """Length of the text that is read of one plain text part, in characters."""
    html_chars: int = 2_000_000
    """Length of the HTML that is read of one part, in characters."""
    html_depth: int = 2_000
    """Nesting depth of HTML elements. The page is cut at the first element beyond this depth."""
    lines: int = 5000
    """Number of lines in which cleaning searches for the beginning of a quote or forward without a mark in the HTML."""
    line_chars: int = 1000
    """Length of one line in characters. Most rules that search for quotes skip longer lines."""
    field_chars: int = 65_536
    """Length of each of subject, body and signature, in characters. Re:infer accepts no more."""
    address_chars: int = 512
    """Length of one correspondent, with name and address, in characters."""
    recipients: int = 2048
    """Number of correspondents from the headers of one name."""
    attachments: int = 128
    """Number of attachments in a comment."""
    attachment_chars: int = 256
    """Length of each of name and content type of an attachment, in characters."""
    property_chars: int = 1024
    """Length of the value of a user property, in characters."""


DEFAULT_LIMITS = Limits()
