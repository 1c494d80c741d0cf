"""One call of the API: the request, its token and the store, with the checks that the handlers share."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from simulators.http import Request, Response
from simulators.reinfer.body_checks import Check, InvalidBody, instant, parse_json, read_instant
from simulators.reinfer.buckets import Bucket
from simulators.reinfer.comments import write_instant
from simulators.reinfer.names import is_id, is_project_name, is_source_name
from simulators.reinfer.responses import Refused
from simulators.reinfer.store import Dataset, NoSuchSource, Source, Store
from simulators.reinfer.tokens import READ, READ_BUCKETS, Token


class ProjectResource(Protocol):
    """Something that belongs to a project and has an id."""

    @property
    def id(self) -> str: ...

    @property
    def project(self) -> str: ...


T = TypeVar("T")
H = TypeVar("H", bound=ProjectResource)
USUAL_PAGE = 64
LARGEST_PAGE = 256


@dataclass(frozen=True, slots=True)
class ApiCall:
    """A call for a handler. `parts`: the variable parts of the path. `body_limit`: bytes. Every method raises `Refused`."""

    request: Request
    parts: tuple[str, ...]
    token: Token
    store: Store
    body_limit: int
    old_deployment: bool

    # ---- permissions ------------------------------------------------------------------------------------------------

    def require(self, permission: str, project: str) -> None:
        if not self.token.may(permission, project):
            raise Refused(403, f"The permission {permission} in project {project} is missing")

    def refuse_free_of_charge(self) -> None:
        """Refuse all values of `no_charge` except `false`, which the vendor's client sends.

        `true` is for internal use of the vendor.
        """
        if self.request.query.get("no_charge", ["false"]) != ["false"]:
            raise Refused(403, "no_charge is for internal use only")

    # ---- resources --------------------------------------------------------------------------------------------------

    def project(self, name: str) -> str:
        if not is_project_name(name):
            raise Refused(400, "not a valid project name")
        if name not in self.store.projects:
            raise Refused(404, f"Project {name} not found")
        return name

    def source(self, permission: str, project: str, name: str) -> Source:
        check_names(project, name)
        self.require(permission, project)
        try:
            return self.store.source(project, name)
        except NoSuchSource as error:
            raise Refused(404, f"Source {project}/{name} not found") from error

    def source_by_id(self, permission: str, source_id: str) -> Source:
        found = self._by_id(source_id, list(self.store.sources.values()), READ)
        self.require(permission, found.project)
        return found

    def bucket(self, permission: str, project: str, name: str) -> Bucket:
        check_names(project, name)
        self.require(permission, project)
        bucket = self.store.buckets.get((project, name))
        if bucket is None:
            raise Refused(404, f"Bucket {project}/{name} not found")
        return bucket

    def bucket_by_id(self, permission: str, bucket_id: str) -> Bucket:
        found = self._by_id(bucket_id, list(self.store.buckets.values()), READ_BUCKETS)
        self.require(permission, found.project)
        return found

    def dataset_by_id(self, dataset_id: str) -> Dataset:
        return self._by_id(dataset_id, list(self.store.datasets.values()), READ)

    def _by_id(self, wanted: str, among: Sequence[H], permission: str) -> H:
        if not is_id(wanted):
            raise Refused(400, "an id is 16 lower-case hexadecimal digits")
        for one in among:
            if one.id == wanted and self.token.may(permission, one.project):
                return one
        raise Refused(404, "Not found")

    # ---- body -------------------------------------------------------------------------------------------------------

    def json(self, check: Check) -> Any:
        """The parsed body, validated with `check`."""
        if self.request.headers.get_content_type() != "application/json" or "Content-Type" not in self.request.headers:
            raise Refused(415, "the Content-Type must be application/json")
        body = self.body()
        try:
            parsed = parse_json(body)
            check(parsed, "body")
        except InvalidBody as error:
            raise Refused(400, str(error)) from error
        return parsed

    def body(self) -> bytes:
        if self.request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise Refused(415, "compressed requests are not supported")
        if len(self.request.body) > self.body_limit:
            raise Refused(413, f"the request is larger than {self.body_limit} bytes")
        return self.request.body

    # ---- query ------------------------------------------------------------------------------------------------------

    def single(self, key: str) -> str | None:
        values = self.request.query.get(key, [])
        if len(values) > 1:
            raise Refused(400, f"{key} is given twice")
        return values[0] if values else None

    def several(self, key: str, most: int) -> list[str]:
        values = self.request.query.get(key, [])
        if not 1 <= len(values) <= most:
            raise Refused(400, f"{key} must be given 1 to {most} times")
        return values

    def flag(self, key: str) -> bool:
        value = self.single(key) or "false"
        if value not in ("true", "false"):
            raise Refused(400, f"{key} must be true or false")
        return value == "true"

    def limit(self) -> int:
        value = self.single("limit") or str(USUAL_PAGE)
        if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= LARGEST_PAGE:
            raise Refused(400, f"limit must be 1 to {LARGEST_PAGE}")
        return int(value)

    def bound(self, key: str) -> str | None:
        """A time in the query, in the format of stored comments; None if it is missing."""
        value = self.single(key)
        if value is None:
            return None
        try:
            instant(1, 9999)(value, key)
        except InvalidBody as error:
            raise Refused(400, str(error)) from error
        return write_instant(read_instant(value))


Handler = Callable[[ApiCall], Response]


def check_names(project: str, name: str) -> None:
    """Raises `Refused` for an invalid name of a source or bucket."""
    if not is_project_name(project) or not is_source_name(name):
        raise Refused(400, "not a valid name of a source or bucket")


def page(
    items: Sequence[T], after: str | None, limit: int, *, ends_empty: bool = False
) -> tuple[Sequence[T], str | None]:
    """At most `limit` items after the continuation `after`, and the continuation of the next page, which is None on the last
    page.

    `ends_empty`: the last page is always empty. Raises `Refused` for an invalid continuation.
    """
    start = _position(after)
    end = start + limit
    is_last = start >= len(items) if ends_empty else end >= len(items)
    return items[start:end], None if is_last else base64.urlsafe_b64encode(str(end).encode()).decode()


def _position(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return max(0, int(base64.urlsafe_b64decode(token)))
    except (binascii.Error, ValueError) as error:
        raise Refused(400, "not a valid continuation") from error
