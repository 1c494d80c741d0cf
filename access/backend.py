"""Authentication backend with the attempt limit of `access.attempts`, for the sign-in page and Django's admin."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone

from access import attempts, known_browser


class LimitedBackend(ModelBackend):
    """Checks passwords within the attempt limit."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> Any:
        """Authenticate a user by password.

        Sets `request.sign_in_wait` (a timedelta) when the attempt is rejected without checking the password.

        Args:
            request: The request, if there is one.
            username: User name as typed.
            password: The password.
            kwargs: Further arguments of Django's `ModelBackend.authenticate`.

        Returns:
            The user, or None.

        Raises:
            PermissionDenied: There were too many failed attempts, so the password was not checked.
        """
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
