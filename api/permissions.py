"""Permission check of the API. Each view declares the permission that each of its HTTP methods requires."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request


class RolePermission(BasePermission):
    """Check that the user has the permission that `view.needs` requires for the HTTP method.

    HEAD and OPTIONS require the permission of GET. The permissions are the same as for the pages.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        """Return whether the user may call the method.

        Args:
            request: The request.
            view: The view.

        Returns:
            False for an unauthenticated user; True if the view does not have the method, so that it responds with 405;
            otherwise whether the user has the permission.
        """
        method = "GET" if request.method in {"HEAD", "OPTIONS"} else request.method
        needed = view.needs.get(method)
        if not request.user.is_authenticated:
            return False
        if needed is None:
            # True lets the view respond with 405. If the view has the method but declares no permission for it, the request is
            # rejected.
            return not hasattr(view, str(method).lower())
        return bool(request.user.has_perm(needed))
