"""Malicious strings: markup, template syntax, script URLs, bidirectional and control characters."""

from __future__ import annotations

MARKUP = "\"'></bdi><img src=x onerror=alert(1)><svg onload=alert(2)>"
BRACES = "{{7*7}} {% raw %} ${7*7}"
ADDRESS = "javascript:alert(1)"
BIDI = "\u2066\u2069\u2069\u202etxet"
"""Bidirectional characters. One isolate end too many would end an isolate of the page. An override without an end would
reverse the following text."""
CONTROLS = "\x01\x08\x1b\x7f\x85"
"""Control characters except NUL, which PostgreSQL cannot store and HTML drops. Tests of emails add NUL."""

# U+0085 ends a paragraph, and with it every open override. So the bidirectional characters come last.
ALL = f"{CONTROLS} {MARKUP} {BRACES} {ADDRESS} {BIDI}"


def hostile(place: str, length: int) -> str:
    """Return a malicious string of `length` characters. It begins with `place` and ends with a word longer than a line."""
    begin = f"{place} {ALL} "
    assert length > len(begin) + 20, place
    return begin + "W" * (length - len(begin))
