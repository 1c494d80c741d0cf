"""Who signs in to Exchange: a service account with its password, or somebody for whom Entra has a token.

exchangelib and requests_oauthlib can ask for tokens too. They are not used for it: they follow a redirect of the token endpoint
with the secret in hand, and their token URL is fixed to the world-wide cloud.
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
    """A connection that shows a token. exchangelib only carries this around."""

    def __init__(self, sign_in: TokenSignIn, left: Callable[[], float]) -> None:
        """`left`: seconds that are left of the call in hand."""
        self.sign_in, self.left = sign_in, left

    def __repr__(self) -> str:
        return "TokenCredentials()"


class Bearer(AuthBase):
    """Each request shows the token that is good then, and a token that Exchange refuses is not shown again."""

    def __init__(self, credentials: TokenCredentials) -> None:
        self._credentials = credentials

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Raises what asking for a token raises."""
        token = self._credentials.sign_in.token(self._credentials.left())
        request.headers["Authorization"] = f"Bearer {token}"
        request.register_hook("response", partial(self._answered, token))  # type: ignore[no-untyped-call]
        return request

    def _answered(self, token: str, response: requests.Response, **_: Any) -> None:
        if response.status_code == requests.codes.unauthorized:
            self._credentials.sign_in.drop(token)


class Ntlm(HttpNtlmAuth):
    """NTLM that binds to the TLS channel (RFC 5929, section 4) of an answer that has been read: the stock class looks for the
    certificate at the socket of an unread one, and an unread answer has no bounds."""

    def response_hook(self, r: requests.Response, **kwargs: Any) -> requests.Response:
        """The answer behind the handshake. The refusal itself where the server answers without a challenge, as one does that
        takes Kerberos only: the stock class raises `PermissionError` then, which looks like trouble of the network."""
        try:
            return super().response_hook(r, **kwargs)
        except PermissionError:
            return r

    def _get_server_cert(self, response: requests.Response) -> bytes | None:
        certificate: bytes | None = getattr(response, "peer_certificate", None)
        return _get_certificate_hash(certificate) if certificate else None


def service_account(username: str, password: str) -> BaseCredentials:
    r"""A service account for NTLM or Basic: `DOMAIN\user`, or `user@domain`."""
    return Credentials(username=username, password=password)
