"""Convert filters between the text that an administrator types, one entry per line, and the stored form.

A folder path is typed as `Inbox/Trades`. A backslash escapes a slash or a backslash inside a folder name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_DOMAIN = re.compile(r"\.?(?=.{1,253}\Z)[^\s@.,;/\\]{1,63}(\.[^\s@.,;/\\]{1,63})+\Z")
_ADDRESS = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+\Z")
_PIECE = re.compile(r"\\(.)|(/)|([^\\/]+|\\)", re.DOTALL)


def lines(text: str) -> list[str]:
    """Split a text into trimmed lines without blank lines and duplicates.

    Args:
        text: The text of a form field.

    Returns:
        The lines in their original order.
    """
    return list(dict.fromkeys(line for line in (raw.strip() for raw in text.splitlines()) if line))


def parse_path(line: str) -> list[str]:
    """Parse a folder path.

    Args:
        line: The path as typed. Empty names between slashes are ignored, and names are trimmed.

    Returns:
        The folder names from the mailbox root down.
    """
    names = [""]
    for escaped, slash, plain in _PIECE.findall(line):
        if slash:
            names.append("")
        else:
            names[-1] += escaped or plain
    return [name.strip() for name in names if name.strip()]


def format_path(names: Sequence[str]) -> str:
    """Format folder names as a path that `parse_path` parses to the same names, if these are trimmed and not empty.

    Args:
        names: The folder names from the mailbox root down.

    Returns:
        The path as an administrator types it.
    """
    return "/".join(name.replace("\\", "\\\\").replace("/", "\\/") for name in names)


def problem_with_address(text: str) -> str | None:
    """Check an email address.

    Args:
        text: The address.

    Returns:
        An error message, or None if the address is valid.
    """
    return None if _ADDRESS.match(text) else f"“{text}” is not an email address."


def problem_with_domain(text: str) -> str | None:
    """Check a domain, with or without a leading dot.

    Args:
        text: The domain.

    Returns:
        An error message, or None if the domain is valid.
    """
    return (
        None if _DOMAIN.match(text) else f"“{text}” is not a domain. Enter a domain like example.com or .example.com."
    )
