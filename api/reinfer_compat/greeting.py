"""What the client asks before every command: who it speaks for. Without an answer none of its commands goes on."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from access.table import VIEW
from api.reinfer_compat.base import VendorView, hex_id, ok


class CurrentUser(VendorView):
    needs: ClassVar = {"GET": VIEW}

    def get(self, request: Request) -> Response:
        return ok(user=document(request.user))


class RefreshPermissions(VendorView):
    """Before it creates anything, the client asks for its permissions to be looked up anew. Here they always are."""

    needs: ClassVar = {"POST": VIEW}

    def post(self, request: Request) -> Response:
        return ok(permissions_refreshed=None)


def document(user: Any) -> dict[str, Any]:
    """As the client can parse it. Its permissions are those of Re:infer: our roles are none of them."""
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
