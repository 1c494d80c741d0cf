"""What Django itself refuses, below /api/ in the shape of the API, elsewhere as a page."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views import defaults

from api.problems import CONTENT_TYPE
from api.reinfer_compat.base import is_asked_by_it


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _problem(request, 400, "This request makes no sense here.") or defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _problem(request, 403, "You may not do this.") or defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _problem(request, 404, "There is nothing at this address.") or defaults.page_not_found(request, exception)


def too_large(request: HttpRequest, error: Exception) -> HttpResponse:
    """`error` says how large it may be."""
    return _problem(request, 413, str(error)) or render(request, "413.html", {"limit": error}, status=413)


def server_error(request: HttpRequest) -> HttpResponse:
    text = "This is a fault of the product. Its log says more."
    return _problem(request, 500, text) or defaults.server_error(request)


def _problem(request: HttpRequest, status: int, detail: str) -> HttpResponse | None:
    if is_asked_by_it(request.path):
        return JsonResponse({"status": "error", "message": detail}, status=status)
    if not request.path.startswith("/api/"):
        return None
    title = HTTPStatus(status).phrase
    told: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JsonResponse(told, status=status, content_type=CONTENT_TYPE)
