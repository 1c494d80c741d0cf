"""Middleware for the URLs that machines request: the health check and the metrics.

A health check, a load balancer or Prometheus can send plain HTTP, and the Host of its requests can be any name or IP
address of this process. So these requests are answered before the host name is compared with ALLOWED_HOSTS and before
plain HTTP is redirected to HTTPS.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

View = TypeVar("View", bound=Callable[..., HttpResponse])


def probe(view: View) -> View:
    """Mark a view, so that `ProbeMiddleware` calls it directly.

    Such a view runs without session, user, CSRF check and host check. It must check by its own means whether the client
    may read the response, must write nothing, and must not put the host name of the request into its response.

    Args:
        view: the view

    Returns:
        The same view, marked.
    """
    view.is_probe = True  # type: ignore[attr-defined]  # an attribute of a function
    return view


class ProbeMiddleware:
    """Respond to requests for views that are marked with `probe`; pass every other request on. It is the first middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Store the next middleware.

        Args:
            get_response: the next middleware or view
        """
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Respond to a request for a marked view; pass every other request on.

        Args:
            request: the request

        Returns:
            The response.
        """
        try:
            match = resolve(request.path_info)
        except Resolver404:
            return self.get_response(request)
        if not getattr(match.func, "is_probe", False):
            return self.get_response(request)
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        # SecurityMiddleware adds this header to other responses, but probes do not pass through it.
        response["X-Content-Type-Options"] = "nosniff"
        response["Cache-Control"] = "no-store"
        return response
