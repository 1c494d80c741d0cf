"""exchangelib's Protocol for one connection, with the transport and session pool of this product."""

from __future__ import annotations

import ssl
import time
from queue import Empty
from typing import Any

import requests
from exchangelib.configuration import Configuration
from exchangelib.errors import SessionPoolMaxSizeReached, SessionPoolMinSizeReached, UnauthorizedError
from exchangelib.protocol import FailFast, Protocol
from exchangelib.transport import BASIC, DEFAULT_HEADERS
from exchangelib.util import is_xml
from requests.auth import AuthBase, HTTPBasicAuth
from urllib3 import HTTPHeaderDict

from integrations.clouds import cloud_at
from integrations.errors import (
    EndpointWrong,
    EwsBlockedOnline,
    EwsDisabled,
    ExchangeBusy,
    ExchangeFailed,
    RequestRejected,
    SettingsWrong,
    SignInRefused,
)
from integrations.ews.codes import BY_CODE
from integrations.ews.credentials import Bearer, Ntlm, TokenCredentials
from integrations.ews.offers import offered_schemes, unauthorized_error
from integrations.ews.operations import fault_in
from integrations.ews.responses import CODE, code_of, error_for_code
from integrations.ews.versions import Versions
from integrations.network import web_page
from integrations.network.faults import retry_after, waiting_time
from integrations.network.session import ServerSession
from integrations.network.transport import CallDeadline

MAX_CONNECTIONS = 4
"""Maximum number of sessions per connection and process."""
OUTAGE = "/ews/genericerrorpage.htm"
"""Target of the redirect that Exchange sends during an outage. This error is transient."""
WRONG_VERSION = (b"The specified server version is invalid", b"ErrorInvalidSchemaVersionForMailboxVersion")
"""Texts in responses that are not XML. They mean that the server rejected the EWS version of the request."""


class AnswerPolicy(FailFast):
    """Raises the error for an HTTP status at once. A retry is left to the scheduler, so that no worker sleeps."""

    def __init__(self, scheme: str) -> None:
        """Store the authentication scheme.

        Args:
            scheme: Scheme of the connection, a key of `offers.SCHEME_NAMES`.
        """
        self._scheme = scheme

    def raise_response_errors(self, response: requests.Response) -> None:
        """Raise the error for a response.

        Nothing is raised for status 200 unless the body is a web page, nor for status 500 if the body is XML: the service
        classes read the errors in these responses.

        Args:
            response: Response of Exchange.

        Raises:
            IntegrationError: The error for the status.
            EWSError: A rejected token, a rejected version, or a known code with status 400.
        """
        status = response.status_code
        if status == 200:
            if web_page.is_web_page(response.content):
                raise EndpointWrong(web_page.DETAIL)
        elif status != 500 or not is_xml(response.content):
            raise self._unauthorized(response) if status == 401 else self._status_error(response)

    def _status_error(self, response: requests.Response) -> Exception:
        """Return the error for a response with another status than 200 and 401. The caller passes no XML with status 500."""
        fault = fault_in(response.content) if is_xml(response.content) else None
        code = code_of(fault) if fault is not None else _code_in_header(response.headers.get("X-CasErrorCode"))
        detail = f"HTTP {response.status_code}" + (f", {code}" if code else "")
        waits = (retry_after(response.headers.get("Retry-After")), waiting_time(getattr(fault, "back_off", None)))
        wait = max(filter(None, waits), default=None)
        match response.status_code:
            case 400:
                return fault if fault is not None and code in BY_CODE else RequestRejected(detail, retry_after=wait)
            case 403:
                return EwsBlockedOnline(detail) if cloud_at(response.url) else EwsDisabled(detail)
            case 302 if OUTAGE in response.headers.get("Location", "").lower():
                return ExchangeFailed(f"{detail} to its error page")
            case 301 | 302 | 303 | 307 | 308 | 404 | 405:
                return EndpointWrong(detail)
            case 407:
                return SettingsWrong("proxy: the proxy rejected the credentials")
            case 456:
                return SignInRefused(f"{detail}: the account is blocked")
            case 429 | 503:
                return ExchangeBusy(detail, retry_after=wait)
            case 500 if any(sign in response.content for sign in WRONG_VERSION):
                return error_for_code("ErrorInvalidSchemaVersionForMailboxVersion")
        return ExchangeFailed(detail, retry_after=wait)

    def _unauthorized(self, response: requests.Response) -> Exception:
        if b"currently locked out" in response.content:
            return SignInRefused("the account is locked out")
        challenges = getattr(response.raw, "headers", HTTPHeaderDict()).getlist("WWW-Authenticate")
        offers = offered_schemes(challenges)
        error = unauthorized_error(self._scheme, offers, handshake_done=bool(response.history))
        # `operations` handles UnauthorizedError: it sends the request once again with a new token.
        return UnauthorizedError("HTTP 401") if self._scheme == "bearer" and type(error) is SignInRefused else error


def _code_in_header(text: str | None) -> str:
    """Return the error code at the end of a header that may contain other words; blank if the header has no code."""
    found = CODE.fullmatch((text or "")[:200].rpartition(":")[2].strip())
    return found.group() if found else ""


class ConnectionProtocol(Protocol):
    """One connection in one process. exchangelib's cache is not used, because it never removes a protocol."""

    def __init__(
        self, config: Configuration, *, context: ssl.SSLContext, proxy: str, user_agent: str, deadline: CallDeadline
    ) -> None:
        """Prepare the connection without a request.

        Args:
            config: Configuration of exchangelib.
            context: TLS context.
            proxy: URL of the proxy; blank for the proxy of the environment variables.
            user_agent: Value of the `User-Agent` header.
            deadline: Deadline of each call.
        """
        self._context, self._proxy, self._user_agent, self.deadline = context, proxy, user_agent, deadline
        self.versions = Versions()
        """EWS versions of mailboxes whose server rejects the version of the connection."""
        super().__init__(config=config)

    @classmethod
    def create(cls, config: Configuration, **options: Any) -> ConnectionProtocol:
        """Return a new connection, without the cache of the stock class.

        Args:
            config: Configuration of exchangelib.
            options: Other arguments of the class.

        Returns:
            The connection.
        """
        protocol: ConnectionProtocol = type.__call__(cls, config, **options)
        return protocol

    def create_session(self) -> requests.Session:
        """Return a new session without a request. The stock method requests a token with a separate HTTP client."""
        session = ServerSession(
            self.service_endpoint,
            context=self._context,
            deadline=self.deadline,
            proxy=self._proxy,
            user_agent=self._user_agent,
        )
        session.headers.update(DEFAULT_HEADERS)
        session.auth = self._auth()
        session.session_id = id(session)  # type: ignore[attr-defined]  # exchangelib logs it
        session.usage_count = 0  # type: ignore[attr-defined]
        return session

    def _auth(self) -> AuthBase:
        credentials = self.credentials
        if isinstance(credentials, TokenCredentials):
            return Bearer(credentials)
        if self.auth_type == BASIC:
            return HTTPBasicAuth(_encode(credentials.username), _encode(credentials.password))
        # NTLM needs a domain before a backslash. For a user principal name, the domain is blank.
        is_address = credentials.type == credentials.EMAIL
        return Ntlm(f"\\{credentials.username}" if is_address else credentials.username, credentials.password)

    # ---- the pool -------------------------------------------------------------------------------------------------

    def get_session(self) -> requests.Session:
        """Return a session of the pool.

        Returns:
            A session that only the caller uses.

        Raises:
            ExchangeBusy: No session is free before the deadline of the call.
            requests.Timeout: The deadline has passed already.
        """
        end = time.monotonic() + self.deadline.left()
        session: requests.Session
        while True:
            try:
                session = self._session_pool.get(block=False)
                break
            except Empty:
                pass
            try:
                self.increase_poolsize()
            except SessionPoolMaxSizeReached:
                try:
                    session = self._session_pool.get(timeout=max(0.0, end - time.monotonic()))
                    break
                except Empty:
                    raise ExchangeBusy("every connection to the server is in use") from None
        session.usage_count += 1  # type: ignore[attr-defined]
        return session

    def close_session(self, session: requests.Session) -> None:
        """Close a session. The stock method expects a session of requests_oauthlib for a sign-in by token.

        Args:
            session: The session.
        """
        session.close()

    def retire_session(self, session: requests.Session) -> None:
        """Close a session and free its slot, which `get_session` fills again.

        This method makes no new session: if that failed, the slot would be lost permanently.

        Args:
            session: The session.
        """
        self.close_session(session)
        with self._session_pool_lock:
            self._session_pool_size -= 1

    def renew_session(self, session: requests.Session) -> requests.Session:
        """Replace a session. If no new session can be made, the slot of the old session is freed.

        Args:
            session: The session.

        Returns:
            The new session.
        """
        self.close_session(session)
        try:
            renewed: requests.Session = self.create_session()
        except BaseException:
            with self._session_pool_lock:
                self._session_pool_size -= 1
            raise
        return renewed

    def decrease_poolsize(self) -> None:
        """Never reduce the pool. The stock method acquires a lock twice while all sessions are in use, which deadlocks.

        Raises:
            SessionPoolMinSizeReached: Always.
        """
        raise SessionPoolMinSizeReached

    def close(self) -> None:
        """Close the sessions and the sign-in."""
        super().close()
        if isinstance(self.credentials, TokenCredentials):
            self.credentials.sign_in.close()

    @property
    def uses_tokens(self) -> bool:
        """Whether the connection signs in with tokens. A 401 may mean an expired token; a retry gets a new token."""
        return isinstance(self.credentials, TokenCredentials)


def _encode(text: str | bytes) -> bytes:
    """Encode a credential as requests does, or in UTF-8 (RFC 7617, section 2.1) where requests cannot.

    The error of requests would quote the password.
    """
    if isinstance(text, bytes):
        return text
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()
