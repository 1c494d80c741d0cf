"""Texts that show the values of form fields to users, for example in the audit log."""

from __future__ import annotations

from typing import Any


def display_text(value: Any) -> str:
    """Return the text of a form value.

    Args:
        value: A cleaned or initial value of a form field.

    Returns:
        The text: `empty`, `yes` or `no`, the items of a list with commas between them, or `str(value)`.
    """
    if value in (None, "", []):
        return "empty"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join("/".join(map(str, item)) if isinstance(item, list | tuple) else str(item) for item in value)
    return str(value)
