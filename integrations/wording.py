"""Texts that show the values of form fields to users, for example in the audit log."""

from __future__ import annotations

from typing import Any


def display_text(value: Any) -> str:
    """Return the text of a form value.

    Args:
        value: A cleaned or initial value of a form field.

    Returns:
        The text: `empty`, `yes` or `no`, or `str(value)`. The items of a list are separated by commas, and the parts of an
        item that is itself a list by slashes.
    """
    if value in (None, "", []):
        return "empty"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join("/".join(map(str, item)) if isinstance(item, list | tuple) else str(item) for item in value)
    return str(value)
