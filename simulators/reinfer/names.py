"""Rules for the names of projects and sources, and for ids, from the published schema of Re:infer."""

from __future__ import annotations

import hashlib
import re

_SOURCE = re.compile(r"[A-Za-z0-9_-]{1,256}")
_PROJECT = re.compile(r"[A-Za-z0-9_.-]{1,1024}")
_ID = re.compile(r"[0-9a-f]{16}")


def is_source_name(name: str) -> bool:
    return _SOURCE.fullmatch(name) is not None


def is_project_name(name: str) -> bool:
    return _PROJECT.fullmatch(name) is not None


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def id_of(*parts: str) -> str:
    """An id of 16 lower-case hexadecimal digits, derived from these names; the same in every run."""
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:16]
