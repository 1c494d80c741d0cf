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
from integrations.ews.offers import offered, refusal
from integrations.ews.operations import fault_in
from integrations.ews.responses import CODE, code_of, coded
from integrations.ews.versions import Versions
from integrations.network import web_page
from integrations.network.faults import retry_after, waiting_time
from integrations.network.session import ServerSession
from integrations.network.transport import CallDeadline

MOST_CONNECTIONS = 4
OUTAGE = "/ews/genericerrorpage.htm"
"""Where Exchange sends a client during outages of its own, which pass."""
WRONG_VERSION = (b"The specified server version is invalid", b"ErrorInvalidSchemaVersionForMailboxVersion")
"""In answers that are no XML."""


class AnswerPolicy(FailFast):
    """Fail at once, and tell what an HTTP status of Exchange means. Waiting is for the scheduler, never for a worker."""

    def __init__(self, way: str) -> None:
        """`way`: by which the connection signs in: a key of `offers.WAYS`."""
        self._way = way

    def raise_response_errors(self, response: requests.Response) -> None:
        status = response.status_code
        if status == 200:
            if web_page.is_web_page(response.content):
                raise EndpointWrong(web_page.DETAIL)
        elif status != 500 or not is_xml(response.content):
            raise self._unauthorized(response) if status == 401 else self._refusal(response)

    def _refusal(self, response: requests.Response) -> Exception:
        """Of any status but 200 and 401, and where it is no fault with the status 500 that faults have."""
        fault = fault_in(response.content) if is_xml(response.content) else None
        code = code_of(fault) if fault is not None else _word(response.headers.get("X-CasErrorCode"))
        detail = f"HTTP {response.status_code}" + (f", {code}" if code else "")
        hints = (retry_after(response.headers.get("Retry-After")), waiting_time(getattr(fault, "back_off", None)))
        wait = max(filter(None, hints), default=None)
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
                return SettingsWrong("proxy: it refused our credentials")
            case 456:
                return SignInRefused(f"{detail}: the account is blocked")
            case 429 | 503:
                return ExchangeBusy(detail, retry_after=wait)
            case 500 if any(sign in response.content for sign in WRONG_VERSION):
                return coded("ErrorInvalidSchemaVersionForMailboxVersion")
        return ExchangeFailed(detail, retry_after=wait)

    def _unauthorized(self, response: requests.Response) -> Exception:
        if b"currently locked out" in response.content:
            return SignInRefused("the account is locked out")
        challenges = getattr(response.raw, "headers", HTTPHeaderDict()).getlist("WWW-Authenticate")
        error = refusal(self._way, offered(challenges), tried=bool(response.history))
        # A token that is refused is replaced once: see `operations`.
        return UnauthorizedError("HTTP 401") if self._way == "bearer" and type(error) is SignInRefused else error


def _word(text: str | None) -> str:
    """The code in a header that other words may stand around; blank where there is none."""
    found = CODE.fullmatch((text or "")[:200].rpartition(":")[2].strip())
    return found.group() if found else ""


class ConnectionProtocol(Protocol):
    """One connection of one process. Made past exchangelib's own cache, which never lets go of anything."""

    def __init__(
        self, config: Configuration, *, context: ssl.SSLContext, proxy: str, user_agent: str, deadline: CallDeadline
    ) -> None:
        self._context, self._proxy, self._user_agent, self.deadline = context, proxy, user_agent, deadline
        self.versions = Versions()
        """The versions of mailboxes that are refused in that of the connection."""
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
