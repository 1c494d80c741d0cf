"""The routes of the API: operations by method and path.

The path is decoded before it is split, because the vendor's client sends `project%2Fname` as one segment, and even
`keyed-sync-states%2F`. Therefore an id with a slash cannot be requested.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from simulators.reinfer.responses import Refused


@dataclass(frozen=True, slots=True)
class Call:
    """An operation of the API, with the variable parts of the path, percent-decoded."""

    operation: str
    parts: tuple[str, ...] = ()


_ROUTES: tuple[tuple[str, str, str], ...] = (
    ("GET", "/auth/user", "current-user"),
    ("POST", "/auth/refresh-user-permissions", "refresh-user-permissions"),
    ("GET", "/api/_private/projects", "list-projects"),
    ("GET", "/api/_private/projects/{}", "get-project"),
    ("GET", "/api/v1/sources", "list-sources"),
    ("GET", "/api/v1/sources/id:{}", "get-source-by-id"),
    ("DELETE", "/api/v1/sources/id:{}", "delete-source"),
    ("GET", "/api/v1/sources/{}", "list-project-sources"),
    ("GET", "/api/v1/sources/{}/{}", "get-source"),
    ("PUT", "/api/v1/sources/{}/{}", "create-source"),
    ("POST", "/api/v1/sources/{}/{}", "update-source"),
    ("POST", "/api/v1/sources/{}/{}/sync", "sync"),
    ("POST", "/api/v1/sources/{}/{}/sync-raw-emails", "sync-raw-emails"),
    ("POST", "/api/v1/sources/{}/{}/statistics", "statistics"),
    ("GET", "/api/v1/sources/{}/{}/comments/{}", "get-comment"),
    ("DELETE", "/api/v1/sources/{}/{}/comments", "delete-comments"),
    ("GET", "/api/_private/sources/{}/{}/comments", "list-comments"),
    ("PUT", "/api/_private/sources/{}/{}/comments", "put-comments"),
    ("PUT", "/api/_private/sources/id:{}/comments/{}/attachments/{}", "put-attachment"),
    ("GET", "/api/v1/attachments/{}", "get-attachment"),
    ("GET", "/api/v1/datasets", "list-datasets"),
    ("GET", "/api/v1/datasets/id:{}", "get-dataset-by-id"),
    ("GET", "/api/v1/datasets/{}/{}", "get-dataset"),
    ("PUT", "/api/v1/datasets/{}/{}", "create-dataset"),
    ("GET", "/api/_private/datasets/{}/{}/labellings", "list-labellings"),
    ("GET", "/api/_private/buckets", "list-buckets"),
    ("GET", "/api/_private/buckets/id:{}", "get-bucket-by-id"),
    ("DELETE", "/api/_private/buckets/id:{}", "delete-bucket"),
    ("GET", "/api/_private/buckets/id:{}/keyed-sync-states/", "list-sync-states"),
    ("GET", "/api/_private/buckets/id:{}/keyed-sync-state/{}", "get-sync-state"),
    ("PUT", "/api/_private/buckets/id:{}/keyed-sync-state/{}", "put-sync-state"),
    ("DELETE", "/api/_private/buckets/id:{}/keyed-sync-state/{}", "delete-sync-state"),
    ("POST", "/api/_private/buckets/id:{}/keyed-sync-state-ids", "list-sync-state-ids"),
    ("PUT", "/api/_private/buckets/id:{}/emails/{}/attachments/{}", "put-email-attachment"),
    ("GET", "/api/_private/buckets/{}", "list-project-buckets"),
    ("GET", "/api/_private/buckets/{}/{}", "get-bucket"),
    ("PUT", "/api/_private/buckets/{}/{}", "create-bucket"),
    ("POST", "/api/_private/buckets/{}/{}", "update-bucket"),
    ("GET", "/api/_private/buckets/{}/{}/statistics", "bucket-statistics"),
    ("PUT", "/api/_private/buckets/{}/{}/emails", "put-emails"),
    ("GET", "/api/_private/buckets/{}/{}/emails", "get-emails"),
    ("POST", "/api/_private/buckets/{}/{}/emails", "list-emails"),
    ("POST", "/api/_private/buckets/{}/{}/emails/query", "query-emails"),
    ("DELETE", "/api/_private/buckets/{}/{}/emails", "delete-emails"),
)
OPERATIONS = tuple(operation for _, _, operation in _ROUTES)
"""The names of all operations. Faults and recordings use them."""

_COMPILED = tuple((method, re.compile(path.replace("{}", "([^/]+)")), operation) for method, path, operation in _ROUTES)


def find_call(method: str, path: str) -> Call:
    """Find the call of a path, which is relative to the prefix.

    Raises `Refused`: 400 if the path is not UTF-8, 404 if it is unknown, 405 if it exists only with other methods.
    """
    path = _decoded(path)
    has_other_method = False
    for route_method, pattern, operation in _COMPILED:
        match = pattern.fullmatch(path)
        if match and route_method == method:
            return Call(operation, match.groups())
        has_other_method = has_other_method or match is not None
    if has_other_method:
        raise Refused(405, f"{method} is not allowed here")
    raise Refused(404, "no such endpoint")


def _decoded(path: str) -> str:
    try:
        return unquote(path, errors="strict")
    except UnicodeDecodeError as error:
        raise Refused(400, "the path is not UTF-8") from error
