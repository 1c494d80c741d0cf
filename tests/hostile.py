"""Strings that want to be more than text: markup, template syntax, script addresses, bidi and control characters."""

from __future__ import annotations

MARKUP = "\"'></bdi><img src=x onerror=alert(1)><svg onload=alert(2)>"
BRACES = "{{7*7}} {% raw %} ${7*7}"
ADDRESS = "javascript:alert(1)"
BIDI = "\u2066\u2069\u2069\u202etxet"
"""An end of isolate too many, to get out of ours, and an override that nobody closes: all behind it would be turned."""
CONTROLS = "\x01\x08\x1b\x7f\x85"
"""Without NUL, which PostgreSQL keeps nowhere and HTML drops: emails bring that one."""

# U+0085 ends a paragraph and with it all that is open: so the open ones come last.
ALL = f"{CONTROLS} {MARKUP} {BRACES} {ADDRESS} {BIDI}"


def hostile(place: str, length: int) -> str:
    """`length` characters of all that, which begin with their place and end in one word too long for any line."""
    begin = f"{place} {ALL} "
    assert length > len(begin) + 20, place
    return begin + "W" * (length - len(begin))
