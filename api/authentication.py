"""Authentication of requests to the API: a token in `Authorization: Bearer …`, or the session of a browser."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox.auth import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request


class BearerToken(TokenAuthentication):
    """Authenticate by a token.

    Tokens are stored as digests, have a name, expire and can be revoked: see `access.models.ApiToken`.
    """

    def authenticate(self, request: Request) -> Any:
        """Authenticate a request.

        Args:
            request: The request.

        Returns:
            User and token; None if the request has no token.

        Raises:
            AuthenticationFailed: The token is unknown or expired, its user is not active, or the header is not valid.
        """
        if not request.META.get("HTTP_AUTHORIZATION", "").isascii():
            # knox decodes the header as UTF-8, and raises an unhandled exception for other bytes.
            raise AuthenticationFailed("Invalid token.")
        return super().authenticate(request)

    def _cleanup_token(self, auth_token: Any) -> bool:
        """Return whether the token is expired. Overridden because knox loads all tokens of the user at each request."""
        return auth_token.expiry is not None and auth_token.expiry < timezone.now()


class BearerTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describe the authentication by token in the OpenAPI schema."""

    target_class = "api.authentication.BearerToken"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the security scheme of OpenAPI.

        Args:
            auto_schema: Unused.

        Returns:
            The scheme.
        """
        return {"type": "http", "scheme": "bearer"}
