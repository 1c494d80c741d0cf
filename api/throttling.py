"""The rate limit of each token: 429 with Retry-After beyond the setting API_RATE."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle


class PerToken(SimpleRateThrottle):
    """A limit for runaway scripts, counted in the cache of each web process. The count is not exact."""

    scope = "token"

    def get_cache_key(self, request: Request, view: Any) -> str:
        """Return the cache key that requests of one token share.

        Args:
            request: The request.
            view: The view.

        Returns:
            The key, by token, else by user, else by address.
        """
        token = getattr(request.auth, "public_id", None) or getattr(request.user, "pk", None) or self.get_ident(request)
        return f"api-throttle-{token}"
