"""Values as words for people."""

from __future__ import annotations

from typing import Any


def in_words(value: Any) -> str:
    """A value of a form as people read it."""
    if value in (None, "", []):
        return "empty"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join("/".join(map(str, item)) if isinstance(item, list | tuple) else str(item) for item in value)
    return str(value)
