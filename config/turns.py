"""How many requests of a web process are worked on at once.

A web process has many threads, so that slow clients cannot take all of them; but each request that is worked on needs memory
and a connection to the database, of which there are few. So a request first arrives as a whole, and then waits for its turn.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

AT_ONCE = 16
PATIENCE = 30.0
"""Seconds that a request waits for its turn."""


class TurnMiddleware:
    """Lets so many requests through at once; answers 503 to one whose turn does not come. It stands behind whatever is answered
    without the database."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        self._turns = threading.BoundedSemaphore(AT_ONCE)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not self._turns.acquire(timeout=PATIENCE):
            text = "Too many requests are worked on at the moment. Try again soon.\n"
            return HttpResponse(text, status=503, content_type="text/plain", headers={"Retry-After": "30"})
        try:
            return self._get_response(request)
        finally:
            self._turns.release()
