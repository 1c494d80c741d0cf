"""A browser in which a user logged in before: it says so with a signed cookie, and has attempts of its own."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

COOKIE = "known_browser"
MAX_AGE = 180 * 24 * 3600


def of(request: HttpRequest | None, name: str) -> str:
    """What tells this browser from others of the same user; empty when the user never logged in here."""
    given = request.COOKIES.get(COOKIE, "") if request is not None else ""
    try:
        known, browser = signing.loads(given, salt=COOKIE, max_age=MAX_AGE)
    except (signing.BadSignature, TypeError, ValueError):
        return ""
    return str(browser) if known == name.casefold() else ""


def remember(request: HttpRequest, response: HttpResponse, name: str) -> None:
    """After a right password."""
    browser = of(request, name) or secrets.token_urlsafe(12)
    response.set_cookie(
        COOKIE,
        signing.dumps([name.casefold(), browser], salt=COOKIE),
        max_age=MAX_AGE,
        secure=settings.HTTPS_ONLY,
        httponly=True,
        samesite="Lax",
    )
