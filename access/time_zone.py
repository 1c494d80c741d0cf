"""Times are shown, and read from forms, in the zone of whoever looks at them: their browser tells it in a cookie."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from functools import cache

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

COOKIE = "time_zone"
"""Written by static/app.js: the name of a zone, as in "Europe/Berlin"."""


class TimeZoneMiddleware:
    """Without the cookie, or with one that names no zone, times are in the server's own zone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with timezone.override(_zone(request.COOKIES.get(COOKIE, ""))):
            return self.get_response(request)


def _zone(name: str) -> zoneinfo.ZoneInfo | None:
    # Only names that the time zone database has: a cookie is anybody's text, and a key is also a path there.
    return zoneinfo.ZoneInfo(name) if name in _names() else None


@cache
def _names() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
