"""The rate limit of the API: above the rate of the setting API_RATE, the response is 429 with the header Retry-After."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle


class PerToken(SimpleRateThrottle):
    """A rate limit per token, against runaway scripts. Each web process counts separately, so the limit is approximate.

    Requests without a token are counted per user, and requests without a user per IP address.
    """

    scope = "token"

    def get_cache_key(self, request: Request, view: Any) -> str:
        """Return the cache key under which the requests of one client are counted.

        Args:
            request: The request.
            view: The view.

        Returns:
            The key, with the id of the token; without a token the id of the user; without a user the IP address.
        """
        token = getattr(request.auth, "public_id", None) or getattr(request.user, "pk", None) or self.get_ident(request)
        return f"api-throttle-{token}"
