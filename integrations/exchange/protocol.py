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
from exchangelib.transport import DEFAULT_HEADERS
from exchangelib.util import is_xml
from requests.auth import HTTPBasicAuth
from requests.utils import get_environ_proxies
from requests_oauthlib import OAuth2Session
from urllib3.exceptions import HTTPError

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
from integrations.exchange.credentials import ClientCredentials, TokenCredentials
from integrations.exchange.errors import of_token_request
from integrations.network.faults import retry_after
from integrations.network.transport import Deadline, DeadlineAdapter

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

    def raw_session(
        self,
        prefix: str,
        oauth2_client: Any = None,
        oauth2_session_params: Any = None,
        oauth2_token_endpoint: Any = None,
    ) -> requests.Session:
        session: requests.Session
        if oauth2_client is not None:
            session = OAuth2Session(client=oauth2_client, **(oauth2_session_params or {}))
        else:
            session = requests.Session()
        # The environment could name a netrc with other credentials, or another CA bundle.
        session.trust_env = False
        session.proxies = {"https": self._proxy} if self._proxy else get_environ_proxies(prefix)
        session.headers.update(DEFAULT_HEADERS)
        session.headers["User-Agent"] = self._user_agent
        for scheme in ("https://", "http://"):
            session.mount(scheme, DeadlineAdapter(self._context, self.deadline))
        return session

    def create_session(self) -> requests.Session:
        """The only request on the way to a session is that for a token."""
        try:
            session: requests.Session = super().create_session()
        except (requests.RequestException, HTTPError, OSError) as error:
            raise of_token_request(error) from error
        if isinstance(session.auth, HTTPBasicAuth):
            session.auth = HTTPBasicAuth(_octets(session.auth.username), _octets(session.auth.password))
        return session

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
        # The stock one throws the token away with each session, and so asks for a new one each time.
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

    def forget_token(self) -> None:
        """After a 401: the next session asks for a new token."""
        credentials = self.credentials
        if isinstance(credentials, ClientCredentials | TokenCredentials):
            credentials.forget()
            self.close()


def _octets(text: str | bytes) -> bytes:
    """As requests sends it, and in UTF-8 (RFC 7617, section 2.1) what it cannot send: its own error quotes the password."""
    if isinstance(text, bytes):
        return text
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()
