"""Connections to Graph. In each process, a connection has one token and at most `AT_ONCE` HTTP sessions."""

from __future__ import annotations

import contextlib
import queue
import threading
import uuid
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests
from urllib3.exceptions import HTTPError

from integrations.entra.signin import TokenSignIn
from integrations.errors import ExchangeBusy, ExchangeFailed, SignInRefused
from integrations.graph.responses import GraphResponse
from integrations.network.connection_cache import ConnectionCache
from integrations.network.faults import of_transport
from integrations.network.session import ServerSession
from integrations.network.settings import ServerSettings, check_server_settings
from integrations.network.transport import CallDeadline, tls_context

AT_ONCE = 4
"""Maximum number of concurrent requests of a connection. Graph allows an app four concurrent requests to one mailbox."""
MAX_REMEMBERED = 1000
"""Maximum number of stored page sizes, and of stored failure counts."""
PREFER_IDS = 'IdType="ImmutableId"'
"""Value of the `Prefer` header that requests ids which do not change when an item is moved."""


@dataclass(frozen=True, slots=True)
class GraphSettings(ServerSettings):
    """Settings of a connection. `endpoint` is scheme and host, for example https://graph.microsoft.com."""

    @property
    def base(self) -> str:
        """The endpoint without a trailing slash or version, which admins sometimes append."""
        return self.endpoint.rstrip("/").removesuffix("/v1.0")


@dataclass(frozen=True, slots=True)
class GraphRequest:
    """A read request, or a batch of read requests. Graph expects a batch as a POST.

    Attributes:
        path: Path and query.
        page_size: Requested number of rows per page; 0 for Graph's default.
        body: JSON of a batch; None for a GET.
    """

    path: str
    page_size: int = 0
    body: bytes | None = field(default=None, repr=False)

    def headers(self) -> dict[str, str]:
        """Return the headers of the request, without the token."""
        prefer = [PREFER_IDS] + ([f"odata.maxpagesize={self.page_size}"] if self.page_size else [])
        content = {} if self.body is None else {"Content-Type": "application/json"}
        return {"Prefer": ", ".join(prefer), "client-request-id": str(uuid.uuid4()), **content}


class GraphConnection:
    """One connection of one process, shared by threads. Opens no network connection before the first request."""

    def __init__(self, settings: GraphSettings) -> None:
        """Prepare a connection.

        Args:
            settings: Settings of the connection.

        Raises:
            SettingsWrong: A setting cannot be used.
        """
        check_server_settings(settings)
        context = tls_context(settings.tls_minimum, settings.tls_ciphers, settings.ca_bundle)
        self.settings, self.deadline = settings, CallDeadline(settings.deadline)
        self.sign_in = TokenSignIn(settings, f"{settings.base}/.default", context)
        self._context = context
        self._sessions: queue.LifoQueue[requests.Session | None] = queue.LifoQueue()
        for _ in range(AT_ONCE):
            self._sessions.put(None)
        self._executor: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self.page_sizes = PageSizes()

    def ask(self, request: GraphRequest) -> GraphResponse:
        """Send one request and read its whole response before the deadline that `deadline.start` set.

        If Graph rejects the token, the request is sent again with another token.

        Args:
            request: The request.

        Returns:
            The response, which may be an error response of Graph.

        Raises:
            SignInRefused: Entra refuses the sign-in, or Graph rejects the second token, too.
            IntegrationError: The network or the sign-in fails, or the response is not valid HTTP.
        """
        token = self.sign_in.token(self._seconds_left())
        response = self._send(request, token)
        if response.status == 401:
            response = self._send(request, self.sign_in.token_other_than(token, self._seconds_left()))
        if response.status == 401:
            raise SignInRefused(response.error().detail)
        return response

    def ask_all(self, all_requests: Sequence[GraphRequest]) -> Iterator[GraphResponse]:
        """Send several requests, at most `AT_ONCE` of them concurrently.

        Args:
            all_requests: The requests.

        Yields:
            The responses in the order of the requests, until one request raises.

        Raises:
            IntegrationError: As in `ask`.
        """
        until = self.deadline.until()

        def send_within_deadline(request: GraphRequest) -> GraphResponse:
            self.deadline.share(until)
            return self.ask(request)

        if len(all_requests) == 1:
            yield self.ask(all_requests[0])
            return
        futures: list[Future[GraphResponse] | None] = [
            self._threads().submit(send_within_deadline, request) for request in all_requests
        ]
        try:
            for index, future in enumerate(futures):
                assert future is not None
                futures[index] = None  # releases the memory of a response that was yielded
                yield future.result()
        finally:
            for future in futures:
                if future is not None:
                    future.cancel()

    def close(self) -> None:
        """Close the idle sessions, the threads and the sign-in. A later request opens new ones."""
        with self._lock:
            executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=False, cancel_futures=True)
        idle = []
        with contextlib.suppress(queue.Empty):
            while True:
                idle.append(self._sessions.get(block=False))
        for session in idle:
            if session is not None:
                session.close()
            self._sessions.put(None)
        self.sign_in.close()

    def _threads(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="graph")
            return self._executor

    def _seconds_left(self) -> float:
        try:
            return self.deadline.left()
        except requests.Timeout as error:
            raise of_transport(error) from error

    def _send(self, request: GraphRequest, token: str) -> GraphResponse:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", **request.headers()}
        method = "GET" if request.body is None else "POST"
        try:
            with self._session() as session:
                response = session.request(
                    method,
                    self.settings.base + request.path,
                    data=request.body,
                    headers=headers,
                    allow_redirects=False,
                )
                body = response.content
        except (requests.RequestException, HTTPError, OSError) as error:
            raise of_transport(error) from error
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise ExchangeFailed("the response does not have the documented format") from error
        return GraphResponse(
            response.status_code, {name.lower(): text for name, text in response.headers.items()}, body
        )

    @contextmanager
    def _session(self) -> Iterator[requests.Session]:
        """Yield a session of the pool. Raises `ExchangeBusy` when none is free before the deadline of the call."""
        try:
            session = self._sessions.get(timeout=self.deadline.left())
        except queue.Empty:
            raise ExchangeBusy("every connection to the server is in use") from None
        try:
            session = session or self._new_session()
            yield session
        except BaseException:
            if session is not None:
                session.close()
            session = None
            raise
        finally:
            self._sessions.put(session)

    def _new_session(self) -> requests.Session:
        settings = self.settings
        return ServerSession(
            settings.endpoint,
            context=self._context,
            deadline=self.deadline,
            proxy=settings.proxy,
            user_agent=settings.user_agent,
        )


class PageSizes:
    """Page sizes below the usual size, and numbers of consecutive failures of pages of one email, by folder.

    A key is the address of a mailbox and the id of a folder. At most `MAX_REMEMBERED` sizes and `MAX_REMEMBERED` counts
    are stored. Above that limit, the entries that were stored first are dropped.
    """

    def __init__(self) -> None:
        """Start with no stored page size and no failure."""
        self._sizes: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._failures: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[str, str], usual: int) -> int:
        """Return the page size to use.

        Args:
            key: Address of the mailbox and id of the folder.
            usual: Usual number of rows per page.

        Returns:
            Rows per page, at most `usual`.
        """
        with self._lock:
            return min(self._sizes.get(key, usual), usual)

    def set(self, key: tuple[str, str], size: int, usual: int) -> None:
        """Store a page size, or remove it when it is the usual one.

        Args:
            key: Address of the mailbox and id of the folder.
            size: Rows per page.
            usual: Usual number of rows per page.
        """
        with self._lock:
            self._sizes.pop(key, None)
            if size < usual:
                self._sizes[key] = size
            while len(self._sizes) > MAX_REMEMBERED:
                self._sizes.popitem(last=False)

    def record_failure(self, key: tuple[str, str]) -> int:
        """Record that a page of one email failed.

        Args:
            key: Address of the mailbox and id of the folder.

        Returns:
            Number of consecutive failures, including this one.
        """
        with self._lock:
            self._failures[key] = self._failures.pop(key, 0) + 1
            while len(self._failures) > MAX_REMEMBERED:
                self._failures.popitem(last=False)
            return self._failures[key]

    def clear_failures(self, key: tuple[str, str]) -> None:
        """Remove the failures of a folder.

        Args:
            key: Address of the mailbox and id of the folder.
        """
        with self._lock:
            self._failures.pop(key, None)


_connections: ConnectionCache[GraphSettings, GraphConnection] = ConnectionCache(GraphConnection)


def connection(settings: GraphSettings, *, fresh: bool = False) -> GraphConnection:
    """Return the open connection with these settings, or a new one. Sends no request.

    Args:
        settings: Settings of the connection.
        fresh: True to replace an open connection, so that the new one signs in again.

    Returns:
        The connection, which the threads of this process share.

    Raises:
        SettingsWrong: A setting cannot be used.
    """
    return _connections.get(settings, fresh=fresh)


def close_all() -> None:
    """Close every Graph connection of this process."""
    _connections.close_all()
