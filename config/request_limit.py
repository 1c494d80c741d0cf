"""A limit for the number of requests that a web process handles at once.

A web process has many threads, so that slow clients cannot occupy all of them. But each request that is handled needs
memory and a database connection, and there are few connections. So a request is first received completely, and then
waits for a free place.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

AT_ONCE = 16
"""Requests that one web process handles at once."""
PATIENCE = 30.0
"""Seconds that a request waits for a free place."""


class RequestLimitMiddleware:
    """Handles at most `AT_ONCE` requests at once, and answers 503 to a request that waited too long.

    It is placed after the middleware that answers without the database.

    Args:
        get_response: The next middleware or the view.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        self._places = threading.BoundedSemaphore(AT_ONCE)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle a request when a place is free.

        Args:
            request: The request.

        Returns:
            The response, or 503 after `PATIENCE` seconds without a free place.
        """
        if not self._places.acquire(timeout=PATIENCE):
            text = "The server is busy with other requests. Try again soon.\n"
            return HttpResponse(text, status=503, content_type="text/plain", headers={"Retry-After": "30"})
        try:
            return self._get_response(request)
        finally:
            self._places.release()
