"""Who may do what: each view says which permission each of its methods needs. What says nothing is refused."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request


class RolePermission(BasePermission):
    """By `view.needs`, a permission for each method of HTTP; one role sees and does the same here and on the pages."""

    def has_permission(self, request: Request, view: Any) -> bool:
        method = "GET" if request.method in {"HEAD", "OPTIONS"} else request.method
        needed = view.needs.get(method)
        if not request.user.is_authenticated:
            return False
        if needed is None:
            # A method that there is not: let the view answer 405.
            return not hasattr(view, str(method).lower())
        return bool(request.user.has_perm(needed))
