"""Pages that machines ask for by the address of this process: its health and its figures.

A health check, a load balancer or Prometheus asks over plain HTTP, under whatever name or address it knows this process by. So
these pages are answered before the host name is compared with ALLOWED_HOSTS and before plain HTTP is redirected to HTTPS.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

View = TypeVar("View", bound=Callable[..., HttpResponse])


def probe(view: View) -> View:
    """Mark a view as one that `ProbeMiddleware` answers.

    Such a view runs without session, user, CSRF check and host check. It must decide for itself who may read it, must write
    nothing, and must not put the host name of the request into its response.
    """
    view.is_probe = True  # type: ignore[attr-defined]  # an attribute of a function
    return view


class ProbeMiddleware:
    """Answers the views that are marked with `probe`; passes everything else on. It is the first of all middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            match = resolve(request.path_info)
        except Resolver404:
            return self.get_response(request)
        if not getattr(match.func, "is_probe", False):
            return self.get_response(request)
        answer: HttpResponse = match.func(request, *match.args, **match.kwargs)
        # What the skipped SecurityMiddleware would have added.
        answer["X-Content-Type-Options"] = "nosniff"
        answer["Cache-Control"] = "no-store"
        return answer
