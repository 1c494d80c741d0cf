"""Counts on a page, grouped by thousands so that an eye can weigh them."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString


def grouped(count: int) -> str | SafeString:
    """1240 as "1,240", as sentences have it; a zero is marked, so that it can stand back."""
    return thousands(count) if count else format_html('<span class="{}">0</span>', "zero")


def thousands(count: int) -> str:
    return f"{count:,}"
