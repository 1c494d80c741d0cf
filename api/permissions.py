"""Permissions: each view declares which permission each of its methods needs. Other methods are rejected."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request


class RolePermission(BasePermission):
    """Check `view.needs`, the permission for each HTTP method. Roles mean the same here and on the pages."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Return whether the user may call the method.

        Args:
            request: The request.
            view: The view.

        Returns:
            Whether the user has the permission. True where the view lacks the method, so that it responds with 405.
        """
        method = "GET" if request.method in {"HEAD", "OPTIONS"} else request.method
        needed = view.needs.get(method)
        if not request.user.is_authenticated:
            return False
        if needed is None:
            # The view does not have the method and responds with 405.
            return not hasattr(view, str(method).lower())
        return bool(request.user.has_perm(needed))
