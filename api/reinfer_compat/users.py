"""Requests that the client sends together with the requests of a command: get the user, and refresh the user's permissions."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from access.table import VIEW
from api.reinfer_compat.base import VendorView, hex_id, ok


class CurrentUser(VendorView):
    """The user of the token."""

    needs: ClassVar = {"GET": VIEW}

    def get(self, request: Request) -> Response:
        """Return the user."""
        return ok(user=document(request.user))


class RefreshPermissions(VendorView):
    """Refresh of permissions, which the client requests before it creates an object. This product ignores the request."""

    needs: ClassVar = {"POST": VIEW}

    def post(self, request: Request) -> Response:
        """Respond with success."""
        return ok(permissions_refreshed=None)


def document(user: Any) -> dict[str, Any]:
    """Return a user in the format of the client. The permissions are empty, because Re:infer does not have our roles.

    Args:
        user: The user.

    Returns:
        The document.
    """
    return {
        "id": hex_id(user.pk),
        "username": user.get_username(),
        "email": user.email,
        "created": user.date_joined.isoformat(),
        "global_permissions": [],
        "organisation_permissions": {},
        "sso_global_permissions": [],
        "verified": user.is_active,
    }
