"""How much of an email is looked at. Counts, never seconds: the same bytes give the same comment on any machine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What goes beyond one of these is cut, and the comment says so, unless it is refused by name."""

    mime_bytes: int = 25 * 1024 * 1024
    """Of the email without the inside of its large attachments."""
    header_chars: int = 16 * 1024
    """Of one header."""
    parts: int = 1000
    depth: int = 100
    """Of parts within parts. Deeper emails are refused: nobody writes them."""
    text_chars: int = 1_000_000
    html_chars: int = 2_000_000
    html_depth: int = 2_000
    """Of elements within elements. What lies deeper, and what follows it, is cut."""
    lines: int = 5000
    """The rules of cleaning look no further."""
    line_chars: int = 1000
    """The rules of cleaning pass longer lines over."""
    field_chars: int = 65_536
    """Of subject, body and signature, as Re:infer takes them."""
    address_chars: int = 512
    recipients: int = 2048
    attachments: int = 128
    attachment_chars: int = 256
    property_chars: int = 1024


DEFAULT_LIMITS = Limits()
