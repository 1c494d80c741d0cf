"""Size limits for request bodies, per view.

A request whose Content-Length is larger than the limit is rejected before its body is read. A chunked body has no
Content-Length. Such a body is buffered in memory up to `MEMORY_BYTES`, and a larger one on disk. The request is rejected
as soon as the received part of the body is larger than the limit.

Django's CSRF check reads the body of a form before any view runs, and writes uploaded files to disk while reading. So
this middleware checks the size first. The limit of a page applies to users with permission for the page. The limits of
the API and of the Django admin apply to every authenticated user. The limit `EVERYBODY` applies to all other users, and
to URLs that do not exist. A page declares its limit with `accepts_body`, an API view with the class method `body_limit`.
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
"""Limit in bytes for unauthenticated users, users without permission for the page, and URLs that do not exist. The sign-in
form needs far less."""
PAGE = 256 * 1024
"""Limit in bytes for a view that declares none. For comparison: a form with 500 ticked mailboxes has about 10 kB."""
AROUND_FILES = 64 * 1024
"""Bytes that a multipart form may have in addition to the content of its files, for file names, separators and other
fields."""
MEMORY_BYTES = 1024 * 1024
"""Size in bytes up to which a chunked body is buffered in memory. A larger body is buffered on disk."""
CHUNK_BYTES = 64 * 1024
"""Bytes per read of a chunked body."""

View = TypeVar("View", bound=Callable[..., Any])


def accepts_body(most: int) -> Callable[[View], View]:
    """Declare the body size limit of a view.

    Args:
        most: The limit in bytes.

    Returns:
        A decorator for the view.
    """

    def declare(view: View) -> View:
        view.body_limit = most  # type: ignore[attr-defined]  # functions have no such declared attribute
        return view

    return declare


class BodyTooLarge(Exception):
    """The request body is larger than the limit that applies: the limit of the view, or `EVERYBODY`.

    Attributes:
        most: The limit in bytes.
    """

    def __init__(self, most: int) -> None:
        """Create the error.

        Args:
            most: The limit in bytes.
        """
        super().__init__(f"The body is larger than {most:,} bytes.")
        self.most = most


class BodyLimitMiddleware:
    """Responds with 413 to requests whose body is larger than the limit.

    It must follow the session middleware, and precede every middleware that reads the body.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Set up the middleware.

        Args:
            get_response: The next middleware or the view.
        """
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Check the body, then process the request.

        Args:
            request: The request.

        Returns:
            The response of the view; 413 if the body is too large, 400 if the client disconnected before the end of the body.
        """
        try:
            _enforce_limit(request)
        except BodyTooLarge as error:
            handler: Any = get_resolver().resolve_error_handler(413)
            response: HttpResponse = handler(request, error)
            return response
        except UnreadablePostError:
            return _incomplete_body_response()
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Respond with 400 when the client disconnected while a view read the body.

        Args:
            request: The request.
            error: The exception of the view.

        Returns:
            A response, or None for any other exception.
        """
        return _incomplete_body_response() if isinstance(error, UnreadablePostError) else None


def _enforce_limit(request: HttpRequest) -> None:
    """Check the size of the body. Raises `BodyTooLarge` or `UnreadablePostError`."""
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        _receive_chunks(request, _body_limit(request))
        return
    length = _declared_length(request)
    if length > EVERYBODY and length > (most := _body_limit(request)):
        raise BodyTooLarge(most)
    if 0 < length <= EVERYBODY:
        # Read the body now. Later, the request occupies one of the slots of `config.request_limit` and perhaps a database
        # connection. While a request occupies a slot or a connection, it must not wait for a slow client.
        _ = request.body


def _declared_length(request: HttpRequest) -> int:
    # As in Django: an invalid Content-Length counts as 0, and no body is read.
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _receive_chunks(request: HttpRequest, most: int) -> None:
    """Read a body of unknown length into a buffer, and replace the input stream with the buffer.

    Django reads nothing from a chunked body, because there is no Content-Length.
    """
    source, buffer = request.META["wsgi.input"], tempfile.SpooledTemporaryFile(max_size=MEMORY_BYTES)  # noqa: SIM115
    length = 0
    # One byte over the limit is enough to reject the body. Reading more would wait for the client.
    while chunk := _read_chunk(source, min(CHUNK_BYTES, most + 1 - length)):
        length += len(chunk)
        if length > most:
            buffer.close()
            raise BodyTooLarge(most)
        buffer.write(chunk)
    buffer.seek(0)
    request.META["CONTENT_LENGTH"] = str(length)
    stream: Any = LimitedStream(cast("Any", buffer), length)
    request._stream = stream  # the attribute that WSGIRequest reads from


def _read_chunk(source: IO[bytes], size: int) -> bytes:
    try:
        return source.read(size)
    except OSError as error:
        raise UnreadablePostError("The request body is incomplete.") from error


def _body_limit(request: HttpRequest) -> int:
    """Return the size limit of the body of this request, in bytes."""
    try:
        match = resolve(request.path_info)
    except Resolver404:
        return EVERYBODY
    page = getattr(match.func, "cls", match.func)  # API views: the view class
    declared = getattr(page, "body_limit", PAGE)
    most = int(declared() if callable(declared) else declared)
    return most if most <= EVERYBODY or _may_open(request, match, page) else EVERYBODY


def _may_open(request: HttpRequest, match: ResolverMatch, page: Any) -> bool:
    """Return whether the limit of the view applies to this user, instead of the limit `EVERYBODY`.

    In the API and the Django admin, the limit of the view applies to every authenticated user. For other pages, the user needs
    the permission for the page.
    """
    if hasattr(page, "authentication_classes"):
        return bool(_authenticated_user(request, page).is_authenticated)
    user: Any = get_user(request)
    return bool(user.is_authenticated) and (match.app_name == "admin" or allows_name(match.url_name or "", user))


def _authenticated_user(request: HttpRequest, page: Any) -> Any:
    """Return the user of the API token, or without a token the user of the session.

    The user is anonymous if the token is invalid, or if there is neither a token nor a session.
    """
    for kind in page.authentication_classes:
        if kind is SessionAuthentication:
            continue  # its CSRF check reads the body; the view does this authentication later
        try:
            user_and_auth = kind().authenticate(Request(request))
        except APIException:
            return AnonymousUser()
        if user_and_auth is not None:
            return user_and_auth[0]
    return get_user(request)


def _incomplete_body_response() -> HttpResponse:
    return HttpResponse("The request body is incomplete.\n", status=400, content_type="text/plain")
