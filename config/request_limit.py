"""A limit for the number of requests that a web process handles concurrently.

A web process has many threads, so that slow clients cannot occupy all of them. But each handled request needs memory and
a database connection, and the number of connections is small. So a thread waits until fewer than `AT_ONCE` requests are
handled. Before a request waits, `access.body_limits` receives a small or chunked body completely.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

AT_ONCE = 16
"""Maximum number of requests that one web process handles concurrently."""
PATIENCE = 30.0
"""Seconds that a request waits before it is rejected."""


class RequestLimitMiddleware:
    """Handles at most `AT_ONCE` requests concurrently. The response to a request that waits too long is 503.

    In the setting MIDDLEWARE, it follows the middlewares that respond without the database, and `BodyLimitMiddleware`, which
    can wait for a slow client.

    Args:
        get_response: The next middleware or the view.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        self._slots = threading.BoundedSemaphore(AT_ONCE)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle a request as soon as the limit permits.

        Args:
            request: The request.

        Returns:
            The response; 503 if the request waited for `PATIENCE` seconds.
        """
        if not self._slots.acquire(timeout=PATIENCE):
            text = "The server is busy with other requests. Try again later.\n"
            return HttpResponse(text, status=503, content_type="text/plain", headers={"Retry-After": "30"})
        try:
            return self._get_response(request)
        finally:
            self._slots.release()
