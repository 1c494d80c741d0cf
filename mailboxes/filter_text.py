"""Filters as an admin types them, one a line, and as they are kept: folder paths, addresses, domains.

A folder path is typed `Inbox/Trades`. A slash or backslash inside a folder's name has a backslash before it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_DOMAIN = re.compile(r"\.?(?=.{1,253}\Z)[^\s@.,;/\\]{1,63}(\.[^\s@.,;/\\]{1,63})+\Z")
_ADDRESS = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+\Z")
_PIECE = re.compile(r"\\(.)|(/)|([^\\/]+|\\)", re.DOTALL)


def lines(text: str) -> list[str]:
    """The lines that say something, trimmed, each once, in their order."""
    return list(dict.fromkeys(line for line in (raw.strip() for raw in text.splitlines()) if line))


def parse_path(line: str) -> list[str]:
    """The folder names of a path. Slashes at its ends, and empty names between two, mean nothing."""
    names = [""]
    for escaped, slash, plain in _PIECE.findall(line):
        if slash:
            names.append("")
        else:
            names[-1] += escaped or plain
    return [name.strip() for name in names if name.strip()]


def format_path(names: Sequence[str]) -> str:
    """The path as it is typed: `parse_path` makes the same names of it."""
    return "/".join(name.replace("\\", "\\\\").replace("/", "\\/") for name in names)


def problem_with_address(text: str) -> str | None:
    return None if _ADDRESS.match(text) else f"“{text}” is no email address."


def problem_with_domain(text: str) -> str | None:
    return None if _DOMAIN.match(text) else f"“{text}” is no domain. Enter it like example.com or .example.com."
