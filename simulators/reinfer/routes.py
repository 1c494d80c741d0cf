"""Which call of the API a method and a path mean. The path is split before it is decoded: a `%2F` is no slash."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from simulators.reinfer.answers import Refused


@dataclass(frozen=True, slots=True)
class Call:
    """A call that the API knows, with the variable parts of its path, percent-decoded."""

    operation: str
    parts: tuple[str, ...] = ()


_ROUTES: tuple[tuple[str, str, str], ...] = (
    ("GET", "/auth/user", "current-user"),
    ("GET", "/api/_private/projects", "list-projects"),
    ("GET", "/api/_private/projects/{}", "get-project"),
    ("GET", "/api/v1/sources", "list-sources"),
    ("GET", "/api/v1/sources/{}", "list-project-sources"),
    ("GET", "/api/v1/sources/{}/{}", "get-source"),
    ("PUT", "/api/v1/sources/{}/{}", "create-source"),
    ("POST", "/api/v1/sources/{}/{}/sync", "sync"),
    ("POST", "/api/v1/sources/{}/{}/statistics", "statistics"),
    ("GET", "/api/v1/sources/{}/{}/comments/{}", "get-comment"),
    ("DELETE", "/api/v1/sources/{}/{}/comments", "delete-comments"),
    ("GET", "/api/_private/sources/{}/{}/comments", "list-comments"),
)
OPERATIONS = tuple(operation for _, _, operation in _ROUTES)
"""Every operation by the name that faults and recordings use."""

_COMPILED = tuple((method, re.compile(path.replace("{}", "([^/]+)")), operation) for method, path, operation in _ROUTES)


def find_call(method: str, path: str) -> Call:
    """The call of this path below the prefix. Raises `Refused`: 404 if no call has that path, 405 if another method."""
    known = False
    for route_method, pattern, operation in _COMPILED:
        match = pattern.fullmatch(path)
        if match and route_method == method:
            return Call(operation, tuple(_decoded(part) for part in match.groups()))
        known = known or match is not None
    if known:
        raise Refused(405, f"{method} is not allowed here")
    raise Refused(404, "no such endpoint")


def _decoded(part: str) -> str:
    try:
        return unquote(part, errors="strict")
    except UnicodeDecodeError as error:
        raise Refused(400, "the path is not UTF-8") from error
