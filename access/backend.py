"""Passwords are looked at only as often as `access.attempts` allows: on our log-in page, and on that of Django's admin."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone

from access import attempts, known_browser


class LimitedBackend(ModelBackend):
    """Leaves `sign_in_wait` (a timedelta) at the request when it refused to look."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> Any:
        if username is None or password is None:
            return None
        browser = known_browser.of(request, username)
        if wait := attempts.begin(username, browser, timezone.now()):
            if request is not None:
                request.sign_in_wait = wait  # type: ignore[attr-defined]
            raise PermissionDenied
        user = super().authenticate(request, username=username, password=password, **kwargs)
        if user is not None:
            attempts.succeeded(username, browser)
        return user
