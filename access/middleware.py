"""Every request is held against the table of addresses; every template can ask what the reader may do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from access.table import ADMINISTER, OPERATE, READ_MAIL, allows_name


class AccessMiddleware:
    """Refuses what the table does not allow. Django's own admin decides for itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        match = request.resolver_match
        # The API knows who asks only once it has read the token: its views ask the same table of permissions themselves.
        if match is None or match.app_name == "admin" or (match.url_name or "").startswith("api-"):
            return
        if not allows_name(match.url_name or "", request.user):
            raise PermissionDenied


class RoleFlags:
    """For templates: `may.operate`, `may.administer`."""

    def __init__(self, user: Any) -> None:
        self.operate = user.has_perm(OPERATE)
        self.administer = user.has_perm(ADMINISTER)
        self.read_mail = user.has_perm(READ_MAIL)


def may(request: HttpRequest) -> dict[str, Any]:
    """A context processor."""
    return {"may": RoleFlags(request.user)} if hasattr(request, "user") else {}
