"""Credentials for Exchange: a service account with its password, or a token of Entra.

exchangelib can also request tokens, through requests_oauthlib. This product does not use that, for two reasons. First,
exchangelib would follow a redirect of the token endpoint, and send the secret to the target of the redirect. Second,
exchangelib always uses the token URL of the worldwide cloud.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import requests
from exchangelib import Credentials
from exchangelib.credentials import BaseCredentials
from requests.auth import AuthBase
from requests_ntlm import HttpNtlmAuth
from requests_ntlm.requests_ntlm import _get_certificate_hash

from integrations.entra.signin import TokenSignIn


class TokenCredentials(BaseCredentials):
    """Credentials of a connection that signs in with tokens. exchangelib only stores them."""

    def __init__(self, sign_in: TokenSignIn, left: Callable[[], float]) -> None:
        """Store the token source.

        Args:
            sign_in: Requests and caches tokens.
            left: Returns the seconds until the deadline of the current call.
        """
        self.sign_in, self.left = sign_in, left

    def __repr__(self) -> str:
        return "TokenCredentials()"


class Bearer(AuthBase):
    """Bearer authentication. Adds the current token to each request, and drops a token that Exchange rejects."""

    def __init__(self, credentials: TokenCredentials) -> None:
        """Store the credentials.

        Args:
            credentials: Credentials of the connection.
        """
        self._credentials = credentials

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the current token to a request.

        Args:
            request: The request.

        Returns:
            The same request.

        Raises:
            IntegrationError: No token can be obtained.
            requests.Timeout: The deadline of the call passed.
        """
        token = self._credentials.sign_in.token(self._credentials.left())
        request.headers["Authorization"] = f"Bearer {token}"
        request.register_hook("response", partial(self._drop_rejected, token))  # type: ignore[no-untyped-call]
        return request

    def _drop_rejected(self, token: str, response: requests.Response, **_: Any) -> None:
        if response.status_code == requests.codes.unauthorized:
            self._credentials.sign_in.drop(token)


class Ntlm(HttpNtlmAuth):
    """NTLM with channel binding (RFC 5929, section 4) for responses with a body that was already read.

    The stock class reads the certificate of the server from the socket of an unread response. In this product, the
    transport reads each body at once to limit its size, and stores the certificate in the attribute `peer_certificate` of
    the response.
    """

    def response_hook(self, r: requests.Response, **kwargs: Any) -> requests.Response:
        """Return the response after the handshake.

        If the server answers the first message of the handshake without an NTLM challenge, for example because it accepts
        only Kerberos, the response before the handshake is returned. In this case, the stock class raises
        `PermissionError`, which looks like a network error.

        Args:
            r: Response before the handshake.
            kwargs: Arguments of the stock class.

        Returns:
            The response after the handshake, or `r`.
        """
        try:
            return super().response_hook(r, **kwargs)
        except PermissionError:
            return r

    def _get_server_cert(self, response: requests.Response) -> bytes | None:
        certificate: bytes | None = getattr(response, "peer_certificate", None)
        return _get_certificate_hash(certificate) if certificate else None


def service_account(username: str, password: str) -> BaseCredentials:
    r"""Return the credentials of a service account, for NTLM or Basic.

    Args:
        username: `DOMAIN\user` or `user@domain`.
        password: Password of the account.

    Returns:
        Credentials for exchangelib.
    """
    return Credentials(username=username, password=password)
