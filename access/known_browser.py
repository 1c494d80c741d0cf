"""Signed cookie that marks a browser in which a user signed in before. Such a browser has its own attempt counter.

The cookie contains the name of the user who signed in last, so the browser counts as known only for this user.
"""

from __future__ import annotations

import secrets

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

COOKIE = "known_browser"
MAX_AGE = 180 * 24 * 3600
"""Lifetime of the cookie in seconds."""


def of(request: HttpRequest | None, name: str) -> str:
    """Return the identifier of a known browser of a user.

    Args:
        request: The request, if there is one.
        name: User name as typed.

    Returns:
        The identifier; empty if there is no valid cookie, or if the cookie is of another user.
    """
    given = request.COOKIES.get(COOKIE, "") if request is not None else ""
    try:
        known, browser = signing.loads(given, salt=COOKIE, max_age=MAX_AGE)
    except (signing.BadSignature, TypeError, ValueError):
        return ""
    return str(browser) if known == name.casefold() else ""


def remember(request: HttpRequest, response: HttpResponse, name: str) -> None:
    """Set the cookie after a correct password.

    Args:
        request: The request. If its cookie belongs to this user, the identifier is kept.
        response: The response that gets the cookie.
        name: User name as typed.
    """
    browser = of(request, name) or secrets.token_urlsafe(12)
    response.set_cookie(
        COOKIE,
        signing.dumps([name.casefold(), browser], salt=COOKIE),
        max_age=MAX_AGE,
        secure=settings.HTTPS_ONLY,
        httponly=True,
        samesite="Lax",
    )
