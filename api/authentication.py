"""Who asks: a token in `Authorization: Bearer …`, or the session of a browser that tries the API out."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox.auth import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request


class BearerToken(TokenAuthentication):
    """Tokens are stored as digests, bear a name, end at a time, and can be revoked: see `access.models.ApiToken`."""

    def authenticate(self, request: Request) -> Any:
        if not request.META.get("HTTP_AUTHORIZATION", "").isascii():
            # The library decodes it as UTF-8 and would fall over what is none.
            raise AuthenticationFailed("Invalid token.")
        return super().authenticate(request)

    def _cleanup_token(self, auth_token: Any) -> bool:
        """Whether it has ended. The library would load every token of its user, at each request."""
        return auth_token.expiry is not None and auth_token.expiry < timezone.now()


class BearerTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "api.authentication.BearerToken"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}
