"""The API of Re:infer as far as the integration needs it: tokens, sources, and comments in and out.

One call comes in as a `Call` with its request, and leaves as an answer or as `Refused`. Faults, recording and
delivery are no business of this file.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from simulators.http import Request, Response
from simulators.reinfer.answers import Refused, ok
from simulators.reinfer.comments import Outcome, StoredComment, write_instant
from simulators.reinfer.contract import check_new_source, check_sync
from simulators.reinfer.names import id_of, is_id, is_project_name, is_source_name
from simulators.reinfer.routes import Call
from simulators.reinfer.shapes import Misshapen, instant, parse_json, read_instant
from simulators.reinfer.store import NoSuchSource, Source, SourceExists, Store
from simulators.reinfer.tokens import ADD_COMMENTS, ADMIN, READ, Token

_USUAL_PAGE = 64
_LARGEST_PAGE = 256
_MOST_DELETED = 128

Handler = Callable[[Request, Token, tuple[str, ...]], Response]


class Api:
    """`old_deployment` answers `sync` with the three counts of earlier years. `body_limit` is in bytes."""

    def __init__(self, store: Store, tokens: Iterable[Token], *, body_limit: int, old_deployment: bool) -> None:
        self._store = store
        self._tokens = {token.secret: token for token in tokens}
        self._body_limit = body_limit
        self._old_deployment = old_deployment
        self._handlers: Mapping[str, Handler] = {
            "current-user": self._current_user,
            "list-projects": self._list_projects,
            "get-project": self._get_project,
            "list-sources": self._list_sources,
            "list-project-sources": self._list_sources,
            "get-source": self._get_source,
            "create-source": self._create_source,
            "sync": self._sync,
            "statistics": self._statistics,
            "get-comment": self._get_comment,
            "delete-comments": self._delete_comments,
            "list-comments": self._list_comments,
        }

    def answer(self, call: Call, request: Request) -> Response:
        """Raises `Refused`."""
        token = self._authenticated(request)
        return self._handlers[call.operation](request, token, call.parts)

    def _authenticated(self, request: Request) -> Token:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        token = self._tokens.get(secret.strip())
        if scheme.lower() != "bearer" or token is None:
            raise Refused(401, "Invalid or missing API token")
        return token

    def _current_user(self, request: Request, token: Token, parts: tuple[str, ...]) -> Response:
        projects = {name: sorted(token.permissions) for name in sorted(self._store.projects) if token.reaches(name)}
        user = {
            "id": id_of("user", token.username),
            "username": token.username,
            "email": f"{token.username}@tenant.example",
            "created": "2026-01-05T09:00:00.000000+00:00",
            "global_permissions": [],
            "organisation_permissions": projects,
            "project_permissions": projects,
            "verified": True,
        }
        return ok(user=user)

    def _list_projects(self, request: Request, token: Token, parts: tuple[str, ...]) -> Response:
        projects = [_project(name) for name in sorted(self._store.projects) if token.reaches(name)]
        return ok(projects=projects)

    def _get_project(self, request: Request, token: Token, parts: tuple[str, ...]) -> Response:
        (name,) = parts
        self._known_project(name)
        _require(token, READ, name)
        return ok(project=_project(name))

    def _list_sources(self, request: Request, token: Token, parts: tuple[str, ...]) -> Response:
        """Those of one project; or all that the token sees; or, as `id:…`, a single one."""
        if parts and parts[0].startswith("id:"):
            return ok(source=_source(self._source_by_id(token, parts[0].removeprefix("id:"))))
        if parts:
            self._known_project(parts[0])
            _require(token, READ, parts[0])
        sources = [source for key, source in sorted(self._store.sources.items()) if token.may(READ, key[0])]
        return ok(sources=[_source(source) for source in sources if not parts or source.project == parts[0]])

    def _get_source(self, request: Request, token: Token, parts: tuple[str, ...]) -> Response:
        return ok(source=_source(self._source(token, READ, *parts)))

    def _create_source(self, request: Request, token: Token, parts: tuple[str, ...]) -> Response:
        project, name = parts
        _check_names(project, name)
        self._known_project(project)
        _require(token, ADMIN, project)
        body = self._json(request, check_new_source)
        try:
            return ok(source=_source(self._store.create(project, name, body["source"])))
        except SourceExists as error:
            raise Refused(409, f"Source {project}/{name} exists already") from error

    def _sync(self, request: Request, token: Token, parts: tuple[str, ...]) -> Response:
        source = self._source(token, ADD_COMMENTS, *parts)
        if request.query.get("no_charge", ["false"]) != ["false"]:
            raise Refused(403, "no_charge is for internal use only")
        comments = self._json(request, check_sync)["comments"]
        counts = self._store.sync(source, comments)
        updated = counts[Outcome.PROPERTIES_ONLY] + counts[Outcome.TEXT_CHANGED]
        answer = {"new": counts[Outcome.NEW], "updated": updated, "unchanged": counts[Outcome.UNCHANGED]}
        if self._old_deployment:
            return ok(**answer)
        return ok(**answer, **{str(key): counts[key] for key in (Outcome.PROPERTIES_ONLY, Outcome.TEXT_CHANGED)})

    def _statistics(self, request: Request, token: Token, parts: tuple[str, ...]) -> Response:
        """The count of a whole source: of all filters, only the empty one."""
        source = self._source(token, READ, *parts)
        body = self._json(request, _is_object)
        if set(body) - {"comment_filter"} or body.get("comment_filter", {}) != {}:
            raise Refused(400, "body: only an empty comment_filter can be counted here")
        return ok(statistics={"num_comments": len(source.comments)})

    def _get_comment(self, request: Request, token: Token, parts: tuple[str, ...]) -> Response:
        source = self._source(token, READ, *parts[:2])
        comment = source.comments.get(parts[2])
        if comment is None:
            raise Refused(404, "Comment not found")
        return ok(comment=comment.as_answer(include_markup=_flag(request, "include_markup")))

    def _delete_comments(self, request: Request, token: Token, parts: tuple[str, ...]) -> Response:
        source = self._source(token, ADMIN, *parts)
        ids = request.query.get("id", [])
        if not 1 <= len(ids) <= _MOST_DELETED:
            raise Refused(400, f"between 1 and {_MOST_DELETED} ids are needed")
        self._store.delete(source, ids)
        return ok()

    def _list_comments(self, request: Request, token: Token, parts: tuple[str, ...]) -> Response:
        """A page of a source by the comments' own timestamps; `continuation` is there as long as more follow."""
        comments = self._wanted(self._source(token, READ, *parts), request)
        start = _position(request)
        end = start + _limit(request)
        include_markup = _flag(request, "include_markup")
        page = [comment.as_answer(include_markup=include_markup) for comment in comments[start:end]]
        if end >= len(comments):
            return ok(comments=page)
        return ok(comments=page, continuation=base64.urlsafe_b64encode(str(end).encode()).decode())

    def _wanted(self, source: Source, request: Request) -> list[StoredComment]:
        direction = _single(request, "direction") or "ascending"
        if direction not in ("ascending", "descending"):
            raise Refused(400, "direction must be ascending or descending")
        first, end = _bound(request, "from_timestamp"), _bound(request, "to_timestamp")
        comments = [
            comment
            for comment in self._store.in_time(source)
            if (not first or comment.content["timestamp"] >= first) and (not end or comment.content["timestamp"] < end)
        ]
        return comments if direction == "ascending" else comments[::-1]

    def _source(self, token: Token, permission: str, project: str, name: str) -> Source:
        _check_names(project, name)
        _require(token, permission, project)
        try:
            return self._store.source(project, name)
        except NoSuchSource as error:
            raise Refused(404, f"Source {project}/{name} not found") from error

    def _source_by_id(self, token: Token, source_id: str) -> Source:
        if not is_id(source_id):
            raise Refused(400, "a source id is 16 lower-case hexadecimal digits")
        for source in list(self._store.sources.values()):
            if source.id == source_id and token.may(READ, source.project):
                return source
        raise Refused(404, "Source not found")

    def _known_project(self, name: str) -> None:
        if not is_project_name(name):
            raise Refused(400, "this is no possible name of a project")
        if name not in self._store.projects:
            raise Refused(404, f"Project {name} not found")

    def _json(self, request: Request, check: Callable[[Any], None]) -> Any:
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise Refused(415, "compressed requests are not supported")
        if request.headers.get_content_type() != "application/json" or "Content-Type" not in request.headers:
            raise Refused(415, "the Content-Type must be application/json")
        if len(request.body) > self._body_limit:
            raise Refused(413, f"the request is larger than {self._body_limit} bytes")
        try:
            body = parse_json(request.body)
            check(body)
        except Misshapen as error:
            raise Refused(400, str(error)) from error
        return body


def _require(token: Token, permission: str, project: str) -> None:
    if not token.may(permission, project):
        raise Refused(403, f"The permission {permission} in project {project} is missing")


def _check_names(project: str, name: str) -> None:
    if not is_project_name(project) or not is_source_name(name):
        raise Refused(400, "this is no possible name of a source")


def _is_object(body: Any) -> None:
    if not isinstance(body, dict):
        raise Misshapen("body", "must be an object")


def _project(name: str) -> dict[str, Any]:
    return {"id": id_of("project", name), "name": name, "title": name, "description": ""}


def _source(source: Source) -> dict[str, Any]:
    created = write_instant(source.created_at)
    return {
        "id": source.id,
        "owner": source.project,
        "name": source.name,
        "title": source.name,
        "description": "",
        "language": "en",
        "should_translate": False,
        "sensitive_properties": [],
        **source.settings,
        "created_at": created,
        "updated_at": created,
    }


def _single(request: Request, key: str) -> str | None:
    values = request.query.get(key, [])
    if len(values) > 1:
        raise Refused(400, f"{key} is given twice")
    return values[0] if values else None


def _flag(request: Request, key: str) -> bool:
    value = _single(request, key) or "false"
    if value not in ("true", "false"):
        raise Refused(400, f"{key} must be true or false")
    return value == "true"


def _limit(request: Request) -> int:
    value = _single(request, "limit") or str(_USUAL_PAGE)
    if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= _LARGEST_PAGE:
        raise Refused(400, f"limit must be 1 to {_LARGEST_PAGE}")
    return int(value)


def _bound(request: Request, key: str) -> str | None:
    value = _single(request, key)
    if value is None:
        return None
    try:
        instant(1, 9999)(value, key)
    except Misshapen as error:
        raise Refused(400, str(error)) from error
    return write_instant(read_instant(value))


def _position(request: Request) -> int:
    token = _single(request, "after")
    if token is None:
        return 0
    try:
        return max(0, int(base64.urlsafe_b64decode(token)))
    except (binascii.Error, ValueError) as error:
        raise Refused(400, "after is no continuation of ours") from error
