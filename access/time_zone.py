"""Time zone of the user. Pages show and parse times in the time zone of the browser, which a script stores in a cookie."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from functools import cache

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

COOKIE = "time_zone"
"""Set by static/app.js. The value is a zone name such as "Europe/Berlin"."""


class TimeZoneMiddleware:
    """Activates the time zone of the cookie; without a valid cookie, the setting `TIME_ZONE`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Set up the middleware.

        Args:
            get_response: The next middleware or the view.
        """
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Process a request in the time zone of the user.

        Args:
            request: The request.

        Returns:
            The response.
        """
        with timezone.override(_zone(request.COOKIES.get(COOKIE, ""))):
            return self.get_response(request)


def _zone(name: str) -> zoneinfo.ZoneInfo | None:
    # Accept only names in the time zone database: the cookie is untrusted, and ZoneInfo uses the name as a file path.
    return zoneinfo.ZoneInfo(name) if name in _names() else None


@cache
def _names() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
