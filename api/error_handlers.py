"""Responses to errors that occur outside the API views, for example in the middleware.

Paths of Re:infer's client get its envelope. Other paths below /api/ get problem details. All other paths get a page.
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
    return _problem(request, 403, "You may not do this.") or defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Respond with 404.

    Args:
        request: The request.
        exception: The reason.

    Returns:
        The response.
    """
    return _problem(request, 404, "There is nothing at this address.") or defaults.page_not_found(request, exception)


def too_large(request: HttpRequest, error: Exception) -> HttpResponse:
    """Respond with 413.

    Args:
        request: The request.
        error: The reason, with the limit in words.

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
    text = "This is an error of the product. Its log contains the details."
    return _problem(request, 500, text) or defaults.server_error(request)


def _problem(request: HttpRequest, status: int, detail: str) -> HttpResponse | None:
    """Return the error in the format of our API or of Re:infer's client; None if the path belongs to the pages."""
    if is_reinfer_client_path(request.path):
        return JsonResponse({"status": "error", "message": detail}, status=status)
    if not request.path.startswith("/api/"):
        return None
    title = HTTPStatus(status).phrase
    problem: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JsonResponse(problem, status=status, content_type=CONTENT_TYPE)
