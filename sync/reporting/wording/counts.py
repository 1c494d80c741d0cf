"""Format counts with separators for thousands."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString


def grouped(count: int) -> str | SafeString:
    """Format a count for a page.

    Args:
        count: The count.

    Returns:
        For example "1,240". A zero is wrapped in `<span class="zero">`, so that the page can dim it.
    """
    return thousands(count) if count else format_html('<span class="{}">0</span>', "zero")


def thousands(count: int) -> str:
    """Format a count for plain text.

    Args:
        count: The count.

    Returns:
        For example "1,240".
    """
    return f"{count:,}"
