"""How much of an email is looked at. Counts, never seconds: the same bytes give the same comment on any machine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What goes beyond one of these is cut, and the comment says so, unless it is refused by name."""

    mime_bytes: int = 25 * 1024 * 1024
    """The size of an email in bytes, without the content of its large attachments."""
    header_chars: int = 16 * 1024
    """The length of one header, in characters."""
    parts: int = 1000
    """The number of MIME parts."""
    depth: int = 100
    """The depth of MIME parts within parts. A deeper email is refused and becomes a failed email."""
    text_chars: int = 1_000_000
    """The length of the plain text that is read, in characters."""
    html_chars: int = 2_000_000
    """The length of the HTML that is read, in characters."""
    html_depth: int = 2_000
    """The depth of HTML elements within elements. What lies deeper, and all that follows it, is cut."""
    lines: int = 5000
    """The number of lines that the cleaning rules read. The rest of the text stays as it is."""
    line_chars: int = 1000
    """The cleaning rules skip lines with more characters."""
    field_chars: int = 65_536
    """The length of subject, body and signature, in characters, as Re:infer accepts them."""
    address_chars: int = 512
    """The length of one address, in characters."""
    recipients: int = 2048
    """The number of recipients in a comment."""
    attachments: int = 128
    """The number of attachments in a comment."""
    attachment_chars: int = 256
    """The length of the name and of the content type of an attachment, in characters each."""
    property_chars: int = 1024
    """The length of the value of a user property, in characters."""


DEFAULT_LIMITS = Limits()
