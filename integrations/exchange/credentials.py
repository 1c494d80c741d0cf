"""Credentials that stay equal to themselves, and name their own token service.

exchangelib compares OAuth credentials with their client object and token in them, so that two equal ones differ once one of
them was used, and its token URL is fixed to the world-wide cloud.
"""

from __future__ import annotations

from collections.abc import Callable

from exchangelib import Credentials, OAuth2Credentials
from exchangelib.credentials import BaseCredentials

from integrations.entra.signin import SignIn


class ClientCredentials(OAuth2Credentials):
    """An application that signs in with its secret, at the token service of `authority`."""

    def __init__(self, *, tenant_id: str, client_id: str, client_secret: str, authority: str, scope: str) -> None:
        super().__init__(client_id=client_id, client_secret=client_secret, tenant_id=tenant_id)
        self._authority = authority.rstrip("/")
        self._scope = scope

    @property
    def token_url(self) -> str:
        return f"{self._authority}/{self.tenant_id}/oauth2/v2.0/token"

    @property
    def scope(self) -> list[str]:
        return [self._scope]

    def session_params(self) -> dict[str, object]:
        """The token alone. The stock class lets the session refresh it when its time is over, which cannot work here: a
        client credentials grant has no refresh token (RFC 6749, section 4.4.3), and asking with none is refused."""
        return {"token": self.access_token}

    def forget(self) -> None:
        """The token was refused: the next session asks for another."""
        with self.lock:
            self.access_token = None

    def _identity(self) -> tuple[str, ...]:
        return (self._authority, self.tenant_id, self.client_id, self.client_secret, self._scope)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ClientCredentials) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def __repr__(self) -> str:
        return f"ClientCredentials({self.tenant_id}, {self.client_id})"


class TokenCredentials(OAuth2Credentials):
    """Who signs in by other means than exchangelib knows: by certificate, or as a service user. It is only shown the token."""

    def __init__(self, sign_in: SignIn, left: Callable[[], float], *, tenant_id: str, client_id: str) -> None:
        """`left`: seconds that are left of the call in hand."""
        super().__init__(client_id=client_id, client_secret="", tenant_id=tenant_id)
        self._sign_in, self._left = sign_in, left
        self.access_token: dict[str, object] | None = None

    def session_params(self) -> dict[str, object]:
        """A token that is good now. Raises what asking for it raises."""
        with self.lock:
            ticket = self._sign_in.ticket(self._left())
            self.access_token = ticket
            return {"token": ticket}

    def forget(self) -> None:
        """The token was refused: the next session shows another."""
        with self.lock:
            if self.access_token is not None:
                self._sign_in.drop(str(self.access_token["access_token"]))
                self.access_token = None

    def close(self) -> None:
        self._sign_in.close()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TokenCredentials) and self._sign_in is other._sign_in

    def __hash__(self) -> int:
        return hash(id(self._sign_in))

    def __repr__(self) -> str:
        return f"TokenCredentials({self.tenant_id}, {self.client_id})"


def service_account(username: str, password: str) -> BaseCredentials:
    r"""A service account for NTLM or Basic: `DOMAIN\user`, or `user@domain`."""
    return Credentials(username=username, password=password)
