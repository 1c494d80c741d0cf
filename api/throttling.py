"""So many requests a minute for each token: 429 beyond, with Retry-After."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle


class PerToken(SimpleRateThrottle):
    """Setting API_RATE. Counted in the cache of each web process: a bound for runaway scripts, no accounting."""

    scope = "token"

    def get_cache_key(self, request: Request, view: Any) -> str:
        who = getattr(request.auth, "public_id", None) or getattr(request.user, "pk", None) or self.get_ident(request)
        return f"api-throttle-{who}"
