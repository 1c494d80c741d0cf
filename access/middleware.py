"""Middleware that enforces the permissions of `access.table`, and a context processor for these permissions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from access.table import ADMINISTER, OPERATE, READ_MAIL, allows_name


class AccessMiddleware:
    """Rejects page requests that the table does not allow. Django's admin and the API check permissions themselves."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Set up the middleware.

        Args:
            get_response: The next middleware or the view.
        """
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Process a request.

        Args:
            request: The request.

        Returns:
            The response.
        """
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        """Check the permission for the URL name of the request.

        Args:
            request: The request.
            view: Not used.
            args: Not used.
            kwargs: Not used.

        Raises:
            PermissionDenied: The user has no permission, or the URL name is not in the table.
        """
        match = request.resolver_match
        # API views authenticate later, by token or session, and then check the same permissions.
        if match is None or match.app_name == "admin" or (match.url_name or "").startswith("api-"):
            return
        if not allows_name(match.url_name or "", request.user):
            raise PermissionDenied


class RoleFlags:
    """Permissions of a user for templates, such as `may.operate`.

    Attributes:
        operate: May run operations, such as start, stop and retry.
        administer: May change the configuration.
        read_mail: May read the content of emails.
    """

    def __init__(self, user: Any) -> None:
        """Read the permissions of a user.

        Args:
            user: The user; may be anonymous.
        """
        self.operate = user.has_perm(OPERATE)
        self.administer = user.has_perm(ADMINISTER)
        self.read_mail = user.has_perm(READ_MAIL)


def may(request: HttpRequest) -> dict[str, Any]:
    """Add `may` to the template context (a context processor).

    Args:
        request: The request.

    Returns:
        The context; empty for a request without a user.
    """
    return {"may": RoleFlags(request.user)} if hasattr(request, "user") else {}
