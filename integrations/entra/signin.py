"""The access token of one connection: requested on demand, once for all waiting threads, and stored only in memory."""

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
from integrations.entra.error_codes import refusal
from integrations.errors import IntegrationError, SignInRefused, TokenEndpointFailed, Transient
from integrations.network.faults import of_transport, retry_after
from integrations.network.session import ServerSession
from integrations.network.settings import ServerSettings, check_url
from integrations.network.transport import CallDeadline

MARGIN = 300.0
"""A token is replaced this many seconds before it expires. If it is valid for less than twice this time, it is replaced
after half of its lifetime."""
PROTOCOL_VIOLATIONS = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError, MsalError)
"""Exceptions of this module and of MSAL for an answer that violates the protocol. RecursionError, for JSON that is nested
too deeply, is a RuntimeError."""


class TokenSignIn:
    """The access token of one connection. No request is sent before the first call. Thread-safe."""

    def __init__(self, settings: ServerSettings, scope: str, context: ssl.SSLContext) -> None:
        """Check the settings.

        Args:
            settings: The settings of the connection.
            scope: The URL of the service that the token is for, followed by `/.default`.
            context: The TLS context for the sign-in service.

        Raises:
            SettingsWrong: The sign-in service or the credentials are invalid.
        """
        check_url(settings.authority, "sign-in service", ("https",))
        check_entered(settings)
        self._settings, self._scope = settings, scope
        self._http = _HttpClient(settings.authority, context, settings.proxy, settings.user_agent, settings.deadline)
        self._lock = threading.Lock()
        self._token, self._until = "", 0.0
        self._refusal: tuple[float, IntegrationError] | None = None

    def token(self, within: float | None = None) -> str:
        """Return a token that has not expired.

        Args:
            within: Seconds until the deadline of the call; None for the deadline of the connection.

        Returns:
            The stored token, or a new one.

        Raises:
            SignInRefused: Entra refused the sign-in.
            IntegrationError: The sign-in service failed.
        """
        return self._token_other_than("", within)

    def token_other_than(self, refused: str, within: float | None = None) -> str:
        """Return a token other than one that a service refused before it expired.

        Args:
            refused: The refused token.
            within: Seconds until the deadline of the call; None for the deadline of the connection.

        Returns:
            The stored token if another thread has replaced the refused one already, else a new one.

        Raises:
            SignInRefused: Entra refused the sign-in.
            IntegrationError: The sign-in service failed.
        """
        return self._token_other_than(refused, within)

    def drop(self, refused: str) -> None:
        """Remove a token that a service refused, so that the next call requests a new one.

        Args:
            refused: The refused token.
        """
        with self._lock:
            if self._token == refused:
                self._token = ""

    def close(self) -> None:
        """Close the connections to the sign-in service."""
        self._http.close()

    def _token_other_than(self, refused: str, within: float | None) -> str:
        started = time.monotonic()
        end = started + (self._settings.deadline if within is None else min(within, self._settings.deadline))
        if not self._lock.acquire(timeout=max(0.0, end - time.monotonic())):
            raise TokenEndpointFailed("another request for a token takes too long")
        try:
            if not self._token or self._token == refused or time.monotonic() >= self._until:
                self._token = ""
                self._raise_refusal_since(started)
                self._token, lifetime = self._requested_token(end)
                self._until = time.monotonic() + max(lifetime - MARGIN, lifetime / 2)
            return self._token
        finally:
            self._lock.release()

    def _raise_refusal_since(self, started: float) -> None:
        """Raise the refusal that another thread got while this thread waited for the lock.

        This thread then sends no request. Otherwise each waiting thread would cause one more refused sign-in.
        """
        if self._refusal is not None and self._refusal[0] >= started:
            error = self._refusal[1]
            raise type(error)(error.detail)

    def _requested_token(self, end: float) -> tuple[str, float]:
        """Return a new token and its lifetime in seconds, and remember a refusal."""
        try:
            return self._new_token(end)
        except SignInRefused as error:
            self._refusal = (time.monotonic(), error)
            raise

    def _new_token(self, end: float) -> tuple[str, float]:
        self._http.begin(end)
        try:
            answer = self._answer()
            token = answer.get("access_token")
            lifetime = _seconds(answer.get("expires_in")) if token else 0.0
        except IntegrationError:
            raise
        except (requests.RequestException, HTTPError, ssl.SSLError, ConnectionError, TimeoutError) as error:
            raise _unreachable(error) from error
        except PROTOCOL_VIOLATIONS:
            # `from None`: the texts of MSAL quote the whole answer.
            raise self._error_of(self._http.refused) from None
        if not token:
            raise self._error_of(answer)
        if self._http.status != 200:
            raise TokenEndpointFailed(f"HTTP {self._http.status}")
        if not isinstance(token, str) or not (token.isascii() and token.isprintable()) or " " in token:
            raise TokenEndpointFailed("its answer does not follow the protocol")
        return token, lifetime

    def _answer(self) -> Mapping[str, Any]:
        # Each token is requested with a new application object, because MSAL caches refusals in this object for a minute.
        # MSAL also stores refresh tokens in it. This product does not use refresh tokens.
        settings = self._settings
        credential = client_credential(settings, lambda: str(app.authority.token_endpoint))
        kind = msal.ConfidentialClientApplication if credential else msal.PublicClientApplication
        app = kind(
            settings.client_id,
            client_credential=credential,
            authority=f"{settings.authority.rstrip('/')}/{settings.tenant_id}",
            instance_discovery=False,
            azure_region=False,
            http_client=self._http,
        )
        if settings.auth == "service_user":
            return dict(app.acquire_token_by_username_password(settings.username, settings.password, [self._scope]))
        return dict(app.acquire_token_for_client([self._scope]))

    def _error_of(self, answer: Mapping[str, Any]) -> IntegrationError:
        status = self._http.status
        if status == 429 or status >= 500:
            return TokenEndpointFailed(f"HTTP {status}", retry_after=retry_after(self._http.wait))
        if not answer.get("error"):
            return TokenEndpointFailed("its answer does not follow the protocol")
        return refusal(answer)


class _HttpClient:
    """The HTTP client for MSAL, with TLS context and proxy of the connection. It sends only to the sign-in service."""

    def __init__(self, authority: str, context: ssl.SSLContext, proxy: str, user_agent: str, seconds: float) -> None:
        self._authority = urlsplit(authority)
        self._deadline = CallDeadline(seconds)
        self._session = ServerSession(
            authority, context=context, deadline=self._deadline, proxy=proxy, user_agent=user_agent
        )
        self.begin(time.monotonic() + seconds)

    def begin(self, end: float) -> None:
        """Prepare the requests for one token. `end` is their deadline, on the clock of `time.monotonic`."""
        self._deadline.share(end)
        self.status, self.wait = 0, ""
        self.refused: Mapping[str, Any] = {}

    def get(self, url: str, params: Any = None, headers: Any = None, **_: Any) -> requests.Response:
        """Send a GET request for MSAL."""
        return self._send("GET", url, params=params, headers=headers)

    def post(self, url: str, params: Any = None, data: Any = None, headers: Any = None, **_: Any) -> requests.Response:
        """Send a POST request for MSAL."""
        return self._send("POST", url, params=params, data=data, headers=headers)

    def close(self) -> None:
        """Close the session."""
        self._session.close()

    def _send(self, method: str, url: str, *, headers: Any, **arguments: Any) -> requests.Response:
        sent_headers = {name: value for name, value in (headers or {}).items() if not _is_telemetry(name)}
        own_url = self._own_url(url)
        response = self._session.request(method, own_url, headers=sent_headers, allow_redirects=False, **arguments)
        # JSON is UTF-8 (RFC 8259, section 8.1). Detecting the encoding is slow, and decoding with a wrong encoding may hang.
        response.encoding = "utf-8"
        self.status, self.wait = response.status_code, response.headers.get("Retry-After", "")
        if 400 <= response.status_code < 500:
            self.refused = _object(response)
        return response

    def _own_url(self, url: str) -> str:
        """Return the address with the port of the authority, because MSAL drops the port.

        Raises:
            SignInRefused: The address is of another server or port. The address may come from a discovery document, so
                neither a secret nor a password is sent to it.
        """
        parts = urlsplit(url)
        if parts.scheme != "https" or parts.hostname != self._authority.hostname:
            raise SignInRefused(
                "the sign-in service refers to another server: the user signs in with a service outside of Entra, which is not "
                "supported, or the address of the sign-in service is not the usual one"
            )
        if parts.port not in (None, self._authority.port):
            raise SignInRefused("the sign-in service refers to another port of its server")
        return parts._replace(netloc=self._authority.netloc).geturl()


def _seconds(expires_in: Any) -> float:
    """Return the lifetime of a token (RFC 6749, section 5.1); older services write the number as text.

    Raises:
        ValueError: The value is not a positive number.
    """
    is_number = isinstance(expires_in, int | float | str) and not isinstance(expires_in, bool)
    seconds = float(expires_in) if is_number else 0.0
    if not math.isfinite(seconds) or seconds <= 0:
        raise ValueError
    return seconds


def _is_telemetry(name: str) -> bool:
    return name.casefold().startswith(("x-client-", "x-ms-lib-", "x-app-"))


def _object(response: requests.Response) -> Mapping[str, Any]:
    try:
        parsed = response.json()
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _unreachable(error: Exception) -> IntegrationError:
    """Return the error for a network exception. A transient error is one of the sign-in service, not of Exchange."""
    converted = of_transport(error)
    return TokenEndpointFailed(converted.detail) if isinstance(converted, Transient) else converted
