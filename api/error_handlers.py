"""Django's error handlers, for errors outside the API views, for example in the middleware.

The path decides the format: the envelope of Re:infer for the paths of its client, problem details for other paths below
/api/, an HTML page for the remaining paths.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views import defaults

from api.problems import CONTENT_TYPE
from api.reinfer_compat.base import is_reinfer_client_path


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Respond with 400.

    Args:
        request: The request.
        exception: The reason.

    Returns:
        The response.
    """
    return _problem(request, 400, "This request is not valid.") or defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Respond with 403.

    Args:
        request: The request.
        exception: The reason.

    Returns:
        The response.
    """
    return _problem(request, 403, "You do not have the permission for this.") or defaults.permission_denied(
        request, exception
    )


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Respond with 404.

    Args:
        request: The request.
        exception: The reason.

    Returns:
        The response.
    """
    return _problem(request, 404, "There is no resource at this URL.") or defaults.page_not_found(request, exception)


def too_large(request: HttpRequest, error: Exception) -> HttpResponse:
    """Respond with 413.

    Args:
        request: The request.
        error: The reason. Its text states the limit.

    Returns:
        The response.
    """
    return _problem(request, 413, str(error)) or render(request, "413.html", {"limit": error}, status=413)


def server_error(request: HttpRequest) -> HttpResponse:
    """Respond with 500.

    Args:
        request: The request.

    Returns:
        The response.
    """
    text = "Internal server error. The log of the server contains the details."
    return _problem(request, 500, text) or defaults.server_error(request)


def _problem(request: HttpRequest, status: int, detail: str) -> HttpResponse | None:
    """Return the error for a path of our API or of Re:infer's client; None for the path of a page."""
    if is_reinfer_client_path(request.path):
        return JsonResponse({"status": "error", "message": detail}, status=status)
    if not request.path.startswith("/api/"):
        return None
    title = HTTPStatus(status).phrase
    problem: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JsonResponse(problem, status=status, content_type=CONTENT_TYPE)
