"""exchangelib's Protocol for one connection: its own transport, and a pool that neither leaks a slot nor hangs."""

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

from integrations.clouds import cloud_at
from integrations.errors import (
    EndpointWrong,
    EwsBlockedOnline,
    EwsDisabled,
    ExchangeBusy,
    ExchangeFailed,
    SettingsWrong,
    SignInRefused,
)
from integrations.exchange.credentials import Bearer, Ntlm, TokenCredentials
from integrations.network.faults import retry_after
from integrations.network.session import ServerSession
from integrations.network.transport import Deadline

MOST_CONNECTIONS = 4


class AnswerPolicy(FailFast):
    """Fail at once, and tell what an HTTP status of Exchange means. Waiting is for the scheduler, never for a worker."""

    def raise_response_errors(self, response: requests.Response) -> None:
        status = response.status_code
        if status == 200 or (status == 500 and response.content and is_xml(response.content)):
            return
        if status == 401:
            if b"currently locked out" in response.content:
                raise SignInRefused("the account is locked out")
            raise UnauthorizedError("HTTP 401")
        detail = f"HTTP {status}"
        match status:
            case 403:
                raise EwsBlockedOnline(detail) if cloud_at(response.url) else EwsDisabled(detail)
            case 301 | 302 | 303 | 307 | 308 | 400 | 404 | 405:
                raise EndpointWrong(detail)
            case 407:
                raise SettingsWrong("proxy: it refused our credentials")
            case 456:
                raise SignInRefused(f"{detail}: the account is blocked")
            case 429 | 503:
                raise ExchangeBusy(detail, retry_after=retry_after(response.headers.get("Retry-After")))
        raise ExchangeFailed(detail)


class ConnectionProtocol(Protocol):
    """One connection of one process. Made past exchangelib's own cache, which never lets go of anything."""

    def __init__(
        self, config: Configuration, *, context: ssl.SSLContext, proxy: str, user_agent: str, deadline: Deadline
    ) -> None:
        self._context, self._proxy, self._user_agent, self.deadline = context, proxy, user_agent, deadline
        super().__init__(config=config)

    @classmethod
    def made(cls, config: Configuration, **given: Any) -> ConnectionProtocol:
        protocol: ConnectionProtocol = type.__call__(cls, config, **given)
        return protocol

    def create_session(self) -> requests.Session:
        """Sends nothing. The stock one asks for a token here, with a client of its own."""
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
            return HTTPBasicAuth(_octets(credentials.username), _octets(credentials.password))
        # A user principal name has no domain in front; a domain that is blank says so.
        is_address = credentials.type == credentials.EMAIL
        return Ntlm(f"\\{credentials.username}" if is_address else credentials.username, credentials.password)

    # ---- the pool -------------------------------------------------------------------------------------------------

    def get_session(self) -> requests.Session:
        """A session of the pool; waits no longer than the deadline of the call. Raises `ExchangeBusy` then."""
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
                    raise ExchangeBusy("every connection to it is in use") from None
        session.usage_count += 1  # type: ignore[attr-defined]
        return session

    def close_session(self, session: requests.Session) -> None:
        # The stock one expects a session of requests_oauthlib where somebody signs in by a token.
        session.close()

    def retire_session(self, session: requests.Session) -> None:
        """Give the slot back empty: `get_session` fills it anew. Making the new session here could fail, and then the
        slot would be lost for ever."""
        self.close_session(session)
        with self._session_pool_lock:
            self._session_pool_size -= 1

    def renew_session(self, session: requests.Session) -> requests.Session:
        self.close_session(session)
        try:
            made: requests.Session = self.create_session()
        except BaseException:
            with self._session_pool_lock:
                self._session_pool_size -= 1
            raise
        return made

    def decrease_poolsize(self) -> None:
        # The stock one takes a lock twice when all sessions are out, and stands still.
        raise SessionPoolMinSizeReached

    def close(self) -> None:
        super().close()
        if isinstance(self.credentials, TokenCredentials):
            self.credentials.sign_in.close()

    @property
    def shows_tokens(self) -> bool:
        """Whether a 401 may mean that only the token was too old. The next request then shows another."""
        return isinstance(self.credentials, TokenCredentials)


def _octets(text: str | bytes) -> bytes:
    """As requests sends it, and in UTF-8 (RFC 7617, section 2.1) what it cannot send: its own error quotes the password."""
    if isinstance(text, bytes):
        return text
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()
