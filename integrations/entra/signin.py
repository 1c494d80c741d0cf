"""One token for a connection: asked for when it is needed, once for however many threads wait, and kept in memory alone."""

from __future__ import annotations

import math
import ssl
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msal
import requests
from msal.exceptions import MsalError
from urllib3.exceptions import HTTPError

from integrations.entra.credentials import check_entered, client_credential
from integrations.entra.refusals import refusal
from integrations.errors import IntegrationError, SignInRefused, TokenEndpointFailed, Transient
from integrations.network.faults import of_transport, retry_after
from integrations.network.session import ServerSession
from integrations.network.settings import ServerSettings, check_url
from integrations.network.transport import CallDeadline

MARGIN = 300.0
"""Seconds before its end that a token is replaced; half of its life where that is shorter."""
NOT_AS_AGREED = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError, MsalError)
"""What comes of reading an answer that lacks what the protocol promises, here and in MSAL. Too deep JSON is a RuntimeError."""


class TokenSignIn:
    """The token of one connection. Sends nothing before it is asked. Safe to share between threads."""

    def __init__(self, given: ServerSettings, scope: str, context: ssl.SSLContext) -> None:
        """`scope`: the service that the token is for, with /.default. Raises `SettingsWrong`."""
        check_url(given.authority, "sign-in service", ("https",))
        check_entered(given)
        self._given, self._scope = given, scope
        self._post = _Post(given.authority, context, given.proxy, given.user_agent, given.deadline)
        self._lock = threading.Lock()
        self._token, self._until = "", 0.0
        self._refusal: tuple[float, IntegrationError] | None = None

    def token(self, within: float | None = None) -> str:
        """A token that is good by what Entra said of it. `within`: seconds that are left of the call.

        Raises `SignInRefused` or another error of `integrations.errors`.
        """
        return self._token_but("", within)

    def another(self, refused: str, within: float | None = None) -> str:
        """A token that is not this one, which a service refused before its time."""
        return self._token_but(refused, within)

    def drop(self, refused: str) -> None:
        """A service refused this token: the next one is another."""
        with self._lock:
            if self._token == refused:
                self._token = ""

    def close(self) -> None:
        self._post.close()

    def _token_but(self, refused: str, within: float | None) -> str:
        begun = time.monotonic()
        end = begun + (self._given.deadline if within is None else min(within, self._given.deadline))
        if not self._lock.acquire(timeout=max(0.0, end - time.monotonic())):
            raise TokenEndpointFailed("another request for a token takes too long")
        try:
            if not self._token or self._token == refused or time.monotonic() >= self._until:
                self._token = ""
                self._raise_what_another_was_told(begun)
                self._token, lives = self._asked(end)
                self._until = time.monotonic() + max(lives - MARGIN, lives / 2)
            return self._token
        finally:
            self._lock.release()

    def _raise_what_another_was_told(self, since: float) -> None:
        """Of many requests that wait for one token, one asks: asking again would be one more refused sign-in for each."""
        if self._refusal is not None and self._refusal[0] >= since:
            told = self._refusal[1]
            raise type(told)(told.detail)

    def _asked(self, end: float) -> tuple[str, float]:
        """A new token, and for how many seconds it is good."""
        try:
            return self._new_token(end)
        except SignInRefused as error:
            self._refusal = (time.monotonic(), error)
            raise

    def _new_token(self, end: float) -> tuple[str, float]:
        self._post.begin(end)
        try:
            answer = self._answer()
            token = answer.get("access_token")
            lives = _seconds(answer.get("expires_in")) if token else 0.0
        except IntegrationError:
            raise
        except (requests.RequestException, HTTPError, ssl.SSLError, ConnectionError, TimeoutError) as error:
            raise _unreachable(error) from error
        except NOT_AS_AGREED:
            # Not raised from it: the texts of MSAL quote the whole answer.
            raise self._said(self._post.refused) from None
        if not token:
            raise self._said(answer)
        if self._post.status != 200:
            raise TokenEndpointFailed(f"HTTP {self._post.status}")
        if not isinstance(token, str) or not (token.isascii() and token.isprintable()) or " " in token:
            raise TokenEndpointFailed("its answer is not as agreed")
        return token, lives

    def _answer(self) -> Mapping[str, Any]:
        # A new application for each token: the old one would repeat a refusal of a minute ago without asking, and keep
        # refresh tokens that nobody needs.
        known = self._given
        credential = client_credential(known, lambda: str(app.authority.token_endpoint))
        kind = msal.ConfidentialClientApplication if credential else msal.PublicClientApplication
        app = kind(
            known.client_id,
            client_credential=credential,
            authority=f"{known.authority.rstrip('/')}/{known.tenant_id}",
            instance_discovery=False,
            azure_region=False,
            http_client=self._post,
        )
        if known.auth == "service_user":
            return dict(app.acquire_token_by_username_password(known.username, known.password, [self._scope]))
        return dict(app.acquire_token_for_client([self._scope]))

    def _said(self, answer: Mapping[str, Any]) -> IntegrationError:
        status = self._post.status
        if status == 429 or status >= 500:
            return TokenEndpointFailed(f"HTTP {status}", retry_after=retry_after(self._post.wait))
        if not answer.get("error"):
            return TokenEndpointFailed("its answer is not as agreed")
        return refusal(answer)


class _Post:
    """HTTP as MSAL wants it, as the connection was set up, and to the sign-in service alone."""

    def __init__(self, authority: str, context: ssl.SSLContext, proxy: str, user_agent: str, seconds: float) -> None:
        self._authority = urlsplit(authority)
        self._deadline = CallDeadline(seconds)
        self._session = ServerSession(
            authority, context=context, deadline=self._deadline, proxy=proxy, user_agent=user_agent
        )
        self.begin(time.monotonic() + seconds)

    def begin(self, end: float) -> None:
        self._deadline.share(end)
        self.status, self.wait = 0, ""
        self.refused: Mapping[str, Any] = {}

    def get(self, url: str, params: Any = None, headers: Any = None, **_: Any) -> requests.Response:
        return self._sent("GET", url, params=params, headers=headers)

    def post(self, url: str, params: Any = None, data: Any = None, headers: Any = None, **_: Any) -> requests.Response:
        return self._sent("POST", url, params=params, data=data, headers=headers)

    def close(self) -> None:
        self._session.close()

    def _sent(self, method: str, url: str, *, headers: Any, **given: Any) -> requests.Response:
        told = {name: value for name, value in (headers or {}).items() if not _is_telemetry(name)}
        response = self._session.request(method, self._own(url), headers=told, allow_redirects=False, **given)
        # JSON is UTF-8 (RFC 8259, section 8.1); to look for another encoding takes long, and some take for ever to read.
        response.encoding = "utf-8"
        self.status, self.wait = response.status_code, response.headers.get("Retry-After", "")
        if 400 <= response.status_code < 500:
            self.refused = _object(response)
        return response

    def _own(self, url: str) -> str:
        """The address, with the port of the authority, which MSAL forgets. Raises for another server than that one: neither
        a secret nor a password goes where a document of the network points."""
        parts = urlsplit(url)
        if parts.scheme != "https" or parts.hostname != self._authority.hostname:
            raise SignInRefused("the user signs in with a service outside of Entra, which is not supported")
        if parts.port not in (None, self._authority.port):
            raise SignInRefused("its documents point to another server")
        return parts._replace(netloc=self._authority.netloc).geturl()


def _seconds(lives: Any) -> float:
    """How long a token is good (RFC 6749, section 5.1); older services write the number as text. Raises `ValueError`."""
    seconds = float(lives) if isinstance(lives, int | float | str) and not isinstance(lives, bool) else 0.0
    if not math.isfinite(seconds) or seconds <= 0:
        raise ValueError
    return seconds


def _is_telemetry(name: str) -> bool:
    return name.casefold().startswith(("x-client-", "x-ms-lib-", "x-app-"))


def _object(response: requests.Response) -> Mapping[str, Any]:
    try:
        told = response.json()
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _unreachable(error: Exception) -> IntegrationError:
    """It is not Exchange that did not answer."""
    found = of_transport(error)
    return TokenEndpointFailed(found.detail) if isinstance(found, Transient) else found
