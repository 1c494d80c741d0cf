"""Limits on how much of an email is processed.

The limits are counts and sizes, never times: the same bytes give the same comment on any machine.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of the conversion. Content beyond a limit is cut, and the comment is marked as truncated.

    Exception: an email that exceeds `depth` is refused.
    """

    mime_bytes: int = 25 * 1024 * 1024
    """Size of an email in bytes, without the content of its large attachments."""
    header_chars: int = 16 * 1024
    """Length of one header in characters."""
    parts: int = 1000
    """Number of MIME parts."""
    depth: int = 100
    """Nesting depth of MIME parts. An email beyond this depth is refused and becomes a dead letter."""
    text_chars: int = 1_000_000
    """Length of the plain text that is read, in characters."""
    html_chars: int = 2_000_000
    """Length of the HTML that is read, in characters."""
    html_depth: int = 2_000
    """Nesting depth of HTML elements. The page is cut at the first element beyond this depth."""
    lines: int = 5000
    """Number of lines that the cleaning rules read. The rest of the text is not cleaned."""
    line_chars: int = 1000
    """The cleaning rules skip lines with more characters."""
    field_chars: int = 65_536
    """Length of each of subject, body and signature, in characters. Re:infer accepts no more."""
    address_chars: int = 512
    """Length of one address in characters."""
    recipients: int = 2048
    """Number of recipients in a comment."""
    attachments: int = 128
    """Number of attachments in a comment."""
    attachment_chars: int = 256
    """Length of each of name and content type of an attachment, in characters."""
    property_chars: int = 1024
    """Length of the value of a user property, in characters."""


DEFAULT_LIMITS = Limits()
