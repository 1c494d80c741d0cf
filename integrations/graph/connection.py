"""Connections to Graph: what an admin sets, checked; a token, a few sessions, and requests side by side, for each process."""

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
from integrations.graph.refusals import GraphAnswer
from integrations.network.faults import of_transport
from integrations.network.kept import Kept
from integrations.network.session import ServerSession
from integrations.network.settings import ServerSettings, check_way
from integrations.network.transport import CallDeadline, tls_context

AT_ONCE = 4
"""Requests of one app to one mailbox that Graph answers at a time; the fifth is throttled."""
MOST_REMEMBERED = 1000
PREFER_IDS = 'IdType="ImmutableId"'
"""A preference: ids that stay when an item is moved."""


@dataclass(frozen=True, slots=True)
class GraphSettings(ServerSettings):
    """`endpoint`: scheme and host, for example https://graph.microsoft.com."""

    @property
    def base(self) -> str:
        """The endpoint without what people put behind it."""
        return self.endpoint.rstrip("/").removesuffix("/v1.0")


@dataclass(frozen=True, slots=True)
class GraphRequest:
    """A request: a path with its query, and what it prefers. All of them read, but a batch of readings is posted."""

    path: str
    page_size: int = 0
    body: bytes | None = field(default=None, repr=False)

    def headers(self) -> dict[str, str]:
        prefer = [PREFER_IDS] + ([f"odata.maxpagesize={self.page_size}"] if self.page_size else [])
        content = {} if self.body is None else {"Content-Type": "application/json"}
        return {"Prefer": ", ".join(prefer), "client-request-id": str(uuid.uuid4()), **content}


class GraphConnection:
    """One connection of one process. Sends nothing before it is asked. Safe to share between threads."""

    def __init__(self, settings: GraphSettings) -> None:
        """Raises `SettingsWrong`."""
        check_way(settings)
        context = tls_context(settings.tls_minimum, settings.tls_ciphers, settings.ca_bundle)
        self.settings, self.deadline = settings, CallDeadline(settings.deadline)
        self.sign_in = TokenSignIn(settings, f"{settings.base}/.default", context)
        self._context = context
        self._idle: queue.LifoQueue[requests.Session | None] = queue.LifoQueue()
        for _ in range(AT_ONCE):
            self._idle.put(None)
        self._helpers: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self.page_sizes = PageSizes()

    def ask(self, asked: GraphRequest) -> GraphAnswer:
        """One request and its whole answer, before the deadline that `deadline.start` set. A token that is refused is replaced
        once. Raises what the network and the sign-in bring; a refusal of Graph is an answer."""
        token = self.sign_in.token(self._left())
        answer = self._sent(asked, token)
        if answer.status == 401:
            answer = self._sent(asked, self.sign_in.another(token, self._left()))
        if answer.status == 401:
            raise SignInRefused(answer.refusal().detail)
        return answer

    def ask_all(self, all_asked: Sequence[GraphRequest]) -> Iterator[GraphAnswer]:
        """The answers in the order of the requests, several of which are under way at a time, until one raises."""
        until = self.deadline.until()

        def helped(asked: GraphRequest) -> GraphAnswer:
            self.deadline.share(until)
            return self.ask(asked)

        if len(all_asked) == 1:
            yield self.ask(all_asked[0])
            return
        futures: list[Future[GraphAnswer] | None] = [self._pool().submit(helped, asked) for asked in all_asked]
        try:
            for place, future in enumerate(futures):
                assert future is not None
                futures[place] = None  # an answer that was given away need not be in memory twice
                yield future.result()
        finally:
            for future in futures:
                if future is not None:
                    future.cancel()

    def close(self) -> None:
        with self._lock:
            helpers, self._helpers = self._helpers, None
        if helpers is not None:
            helpers.shutdown(wait=False, cancel_futures=True)
        idle = []
        with contextlib.suppress(queue.Empty):
            while True:
                idle.append(self._idle.get(block=False))
        for session in idle:
            if session is not None:
                session.close()
            self._idle.put(None)
        self.sign_in.close()

    def _pool(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._helpers is None:
                self._helpers = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="graph")
            return self._helpers

    def _left(self) -> float:
        try:
            return self.deadline.left()
        except requests.Timeout as error:
            raise of_transport(error) from error

    def _sent(self, asked: GraphRequest, token: str) -> GraphAnswer:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", **asked.headers()}
        method = "GET" if asked.body is None else "POST"
        try:
            with self._session() as session:
                response = session.request(
                    method,
                    self.settings.base + asked.path,
                    data=asked.body,
                    headers=headers,
                    allow_redirects=False,
                )
                body = response.content
        except (requests.RequestException, HTTPError, OSError) as error:
            raise of_transport(error) from error
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise ExchangeFailed("its answer is not as agreed") from error
        return GraphAnswer(response.status_code, {name.lower(): text for name, text in response.headers.items()}, body)

    @contextmanager
    def _session(self) -> Iterator[requests.Session]:
        """One of few; waits for it no longer than the deadline of the call. Raises `ExchangeBusy` then."""
        try:
            session = self._idle.get(timeout=self.deadline.left())
        except queue.Empty:
            raise ExchangeBusy("every connection to it is in use") from None
        try:
            session = session or self._made()
            yield session
        except BaseException:
            if session is not None:
                session.close()
            session = None
            raise
        finally:
            self._idle.put(session)

    def _made(self) -> requests.Session:
        settings = self.settings
        return ServerSession(
            settings.endpoint,
            context=self._context,
            deadline=self.deadline,
            proxy=settings.proxy,
            user_agent=settings.user_agent,
        )


class PageSizes:
    """How much of a folder is listed at once, where less than usual had to be asked for, and how often the least failed.
    Forgets the oldest."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._failures: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, of: tuple[str, str], usual: int) -> int:
        with self._lock:
            return min(self._known.get(of, usual), usual)

    def set(self, of: tuple[str, str], size: int, usual: int) -> None:
        with self._lock:
            self._known.pop(of, None)
            if size < usual:
                self._known[of] = size
            while len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)

    def failed(self, of: tuple[str, str]) -> int:
        """Note that not even a page of one email could be told; how often that happened in a row."""
        with self._lock:
            self._failures[of] = self._failures.pop(of, 0) + 1
            while len(self._failures) > MOST_REMEMBERED:
                self._failures.popitem(last=False)
            return self._failures[of]

    def passed(self, of: tuple[str, str]) -> None:
        with self._lock:
            self._failures.pop(of, None)


_kept: Kept[GraphSettings, GraphConnection] = Kept(GraphConnection)


def connection(settings: GraphSettings, *, fresh: bool = False) -> GraphConnection:
    """The open connection with these settings; made, without any request, when there is none, or where it must be `fresh`.
    Raises `SettingsWrong`."""
    return _kept.get(settings, fresh=fresh)


def close_all() -> None:
    """Close every connection of this process."""
    _kept.close_all()
