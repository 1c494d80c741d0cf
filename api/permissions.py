"""Permission check of the API. Each view declares the permission that each of its HTTP methods requires."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request


class RolePermission(BasePermission):
    """Check `view.needs`, a mapping from HTTP method to permission. The roles are those of the pages."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Return whether the user may call the method.

        Args:
            request: The request.
            view: The view.

        Returns:
            Whether the user has the permission; True if the view does not have the method, so that it responds with 405.
        """
        method = "GET" if request.method in {"HEAD", "OPTIONS"} else request.method
        needed = view.needs.get(method)
        if not request.user.is_authenticated:
            return False
        if needed is None:
            # True lets the view respond with 405. A method of the view without a declared permission is rejected.
            return not hasattr(view, str(method).lower())
        return bool(request.user.has_perm(needed))
