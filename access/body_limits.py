"""How large the body of a request may be, page by page. What is larger is refused before any of it is kept.

Django reads the body of a form before any view runs (the CSRF check looks for its token there), and writes files in it to disk
as they come. So the limit is enforced in front of that. `EVERYBODY` holds for whoever is not signed in or may not open the
page; the limit of a page for the others is declared at its view, by `accepts_body` or, in the API, by the class.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import IO, Any, TypeVar, cast

from django.contrib.auth.middleware import get_user
from django.contrib.auth.models import AnonymousUser
from django.core.handlers.wsgi import LimitedStream
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.urls import Resolver404, ResolverMatch, get_resolver, resolve
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from access.table import allows_name

EVERYBODY = 64 * 1024
"""Bytes that anybody may send to any page: far more than a form for signing in needs."""
PAGE = 256 * 1024
"""Bytes for a page that declares nothing: five thousand mailboxes ticked in a list are 100 kB."""
AROUND_FILES = 64 * 1024
"""Bytes that a form has around its files: their names, separators, and the other fields."""
IN_MEMORY = 1024 * 1024
PIECE = 64 * 1024

View = TypeVar("View", bound=Callable[..., Any])


def accepts_body(most: int) -> Callable[[View], View]:
    """Declare how large the body of a request to this view may be, in bytes."""

    def declare(view: View) -> View:
        view.body_limit = most  # type: ignore[attr-defined]  # an attribute of a function
        return view

    return declare


class BodyTooLarge(Exception):
    """A body has more bytes than its page accepts. `most`: how many these are."""

    def __init__(self, most: int) -> None:
        super().__init__(f"The body is larger than {most:,} bytes.")
        self.most = most


class BodyLimitMiddleware:
    """Refuses what is too large with 413. Stands behind the session, and in front of all that reads a body."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            _bound(request)
        except BodyTooLarge as error:
            page: Any = get_resolver().resolve_error_handler(413)
            answer: HttpResponse = page(request, error)
            return answer
        except UnreadablePostError:
            return _broken_off()
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The body broke off while a view read it: no fault of ours, and nobody is there any more to read the answer."""
        return _broken_off() if isinstance(error, UnreadablePostError) else None


def _bound(request: HttpRequest) -> None:
    """See to it that nothing behind this reads more than the page accepts. Raises `BodyTooLarge` and `UnreadablePostError`."""
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        _receive_chunks(request, _limit(request))
        return
    length = _declared_length(request)
    if length > EVERYBODY and length > (most := _limit(request)):
        raise BodyTooLarge(most)
    if 0 < length <= EVERYBODY:
        # Read it now: what follows can take a turn and a connection to the database, and must not wait for a slow client.
        _ = request.body


def _declared_length(request: HttpRequest) -> int:
    # As Django itself reads it: what is no number counts as no body, and none is read then.
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _receive_chunks(request: HttpRequest, most: int) -> None:
    """Count a body of unknown length as it comes, and put it in the place of the stream, of which Django would read nothing."""
    source, kept = request.META["wsgi.input"], tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115
    length = 0
    # One byte beyond the limit is enough to know: to ask for more would be to wait for it.
    while piece := _piece(source, min(PIECE, most + 1 - length)):
        length += len(piece)
        if length > most:
            kept.close()
            raise BodyTooLarge(most)
        kept.write(piece)
    kept.seek(0)
    request.META["CONTENT_LENGTH"] = str(length)
    stream: Any = LimitedStream(cast("Any", kept), length)
    request._stream = stream  # where WSGIRequest keeps it


def _piece(source: IO[bytes], size: int) -> bytes:
    try:
        return source.read(size)
    except OSError as error:
        raise UnreadablePostError("The body broke off.") from error


def _limit(request: HttpRequest) -> int:
    """How large the body of this request may be, in bytes."""
    try:
        match = resolve(request.path_info)
    except Resolver404:
        return EVERYBODY
    page = getattr(match.func, "cls", match.func)  # of the API: the class
    declared = getattr(page, "body_limit", PAGE)
    most = int(declared() if callable(declared) else declared)
    return most if most <= EVERYBODY or _may_open(request, match, page) else EVERYBODY


def _may_open(request: HttpRequest, match: ResolverMatch, page: Any) -> bool:
    """Whether a person or program that is known asks for something that it may open."""
    if hasattr(page, "authentication_classes"):
        return bool(_asking_program(request, page).is_authenticated)
    user: Any = get_user(request)
    return bool(user.is_authenticated) and (match.app_name == "admin" or allows_name(match.url_name or "", user))


def _asking_program(request: HttpRequest, page: Any) -> Any:
    """The user of a valid token, or of a session."""
    for kind in page.authentication_classes:
        if kind is SessionAuthentication:
            continue  # asks for the CSRF token, for which it reads the body; it will do so later
        try:
            found = kind().authenticate(Request(request))
        except APIException:
            return AnonymousUser()
        if found is not None:
            return found[0]
    return get_user(request)


def _broken_off() -> HttpResponse:
    return HttpResponse("The body of this request broke off.\n", status=400, content_type="text/plain")
