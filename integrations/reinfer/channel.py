"""HTTP with one Re:infer tenant: bearer token, one deadline for a whole exchange, every fault of the network by name.

An exchange (connect, send, wait, read a slow body) ends by its deadline whatever the network does: a lease stands on
it. A time-out of a socket cannot promise that, since each byte that trickles in starts it anew; so the exchange runs
in an event loop that cancels it.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

import httpx

from integrations.errors import (
    IntegrationError,
    ReinferCertificateUntrusted,
    ReinferEndpointWrong,
    ReinferFailed,
    ReinferTimedOut,
    ReinferTokenRefused,
    ReinferUnintelligible,
    ReinferUnreachable,
)
from integrations.reinfer.answers import ReinferAnswer
from integrations.reinfer.remote_words import says_it_was_cut
from integrations.reinfer.unpacking import Unpacked

T = TypeVar("T")

AT_ONCE = 8
"""Requests in flight at the same time; the vendor's own appliance has as many."""
LARGEST_ANSWER = 16 * 1024 * 1024
"""Bytes, unpacked. A stored comment with markup stays far below; anything above is not from Re:infer."""
LARGEST_REFUSAL = 1024 * 1024
"""Bytes, unpacked, that are read of an answer that is no success. It may say something of each comment of a batch."""

_CONNECT_WITHIN = 10.0
_KEEP_ALIVE = 15.0

log = logging.getLogger(__name__)


class Channel:
    """Exchanges of requests and answers under one token. Opens nothing before the first one; belongs to one thread."""

    def __init__(self, token: str, *, deadline: float, user_agent: str, tls: ssl.SSLContext | None = None) -> None:
        """`deadline`: seconds for everything that is done in one `run`. `tls`: what to trust, if not the usual.

        Raises `ReinferTokenRefused` for a token that cannot be put into a header.
        """
        self._token = _sendable(token)
        self._deadline = deadline
        self._user_agent = user_agent
        self._tls = tls
        self._runner: asyncio.Runner | None = None
        self._client: httpx.AsyncClient | None = None

    def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do `work`, which may call `exchange` as often as it likes; raises `ReinferTimedOut` when the time is over."""
        if self._runner is None:
            self._runner = asyncio.Runner()
        try:
            return self._runner.run(self._within_the_deadline(work))
        except IntegrationError:
            raise
        except BaseException:
            # A signal broke in from outside. What was under way must not go on with the next call.
            self.close()
            raise

    async def exchange(self, method: str, url: str, body: bytes | None = None) -> ReinferAnswer:
        """One request and its whole answer. Raises the error of `integrations.errors` that a fault stands for."""
        client = self._opened()
        content_type = {} if body is None else {"Content-Type": "application/json"}
        with _translated():
            request = client.build_request(method, url, content=body, headers=content_type)
            async with _streamed(client, request) as response:
                answer = ReinferAnswer(
                    status=response.status_code,
                    headers={name.lower(): value for name, value in response.headers.items()},
                    body=await self._read(response),
                    at=datetime.now(UTC),
                    secret=self._token,
                )
        log.debug("%s %s: %s", method, answer.status, answer.headers.get("server-timing", ""))
        return answer

    def close(self) -> None:
        """Close the connections. The channel opens them again if it is used again."""
        runner, client = self._runner, self._client
        self._runner = self._client = None
        if runner is None:
            return
        with runner:
            runner.run(_shut(client))

    async def _within_the_deadline(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        try:
            async with asyncio.timeout(self._deadline):
                return await work()
        except TimeoutError as error:
            raise ReinferTimedOut(f"{self._deadline:g} s") from error

    @staticmethod
    async def _read(response: httpx.Response) -> bytes:
        most = LARGEST_ANSWER if response.is_success else LARGEST_REFUSAL
        try:
            unpacked = Unpacked(response.headers.get("Content-Encoding", ""), most)
            async for piece in response.aiter_raw():
                unpacked.add(piece)
                if unpacked.is_too_large:
                    break
            unpacked.end()
        except ValueError as error:
            raise ReinferUnintelligible(str(error)) from error
        if unpacked.is_too_large and response.is_success:
            raise ReinferUnintelligible(f"HTTP {response.status_code} with more than {most} bytes")
        return bytes(unpacked.body)

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                headers={
                    "Authorization": f"Bearer {self._token}",
                    "Accept": "application/json",
                    "Accept-Encoding": "gzip",
                    "User-Agent": self._user_agent,
                },
                timeout=httpx.Timeout(None, connect=min(_CONNECT_WITHIN, self._deadline)),
                limits=httpx.Limits(
                    max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE, keepalive_expiry=_KEEP_ALIVE
                ),
                verify=self._tls or usual_trust(),
                follow_redirects=False,
            )
        return self._client


@cache
def usual_trust() -> ssl.SSLContext:
    """Who is trusted: the usual authorities, or those in the file of `SSL_CERT_FILE`. Read once: it takes a while."""
    return httpx.create_ssl_context()


async def _shut(client: httpx.AsyncClient | None) -> None:
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    if client is not None:
        await client.aclose()


@asynccontextmanager
async def _streamed(client: httpx.AsyncClient, request: httpx.Request) -> AsyncIterator[httpx.Response]:
    response = await client.send(request, stream=True)
    try:
        yield response
    finally:
        await response.aclose()


@contextmanager
def _translated() -> Iterator[None]:
    """Turns the errors of httpx into ours. None of their texts is kept: an address can be part of them."""
    try:
        yield
    except (httpx.InvalidURL, UnicodeError) as error:
        raise ReinferEndpointWrong("it names a host that cannot exist") from error
    except httpx.HTTPError as error:
        raise _fault(error) from error


def _fault(error: Exception) -> IntegrationError:
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError):
        return _no_connection(error)
    if isinstance(error, httpx.TimeoutException):
        return ReinferTimedOut()
    if isinstance(error, httpx.DecodingError | httpx.RemoteProtocolError) and not _was_cut(error):
        return ReinferUnintelligible(type(error).__name__)
    # From here on the connection stood, so what was sent may have been what broke it.
    return ReinferFailed("the connection was lost")


def _no_connection(error: Exception) -> IntegrationError:
    causes = _causes(error)
    tls = next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None)
    if isinstance(tls, ssl.SSLCertVerificationError):
        return ReinferCertificateUntrusted(tls.verify_message)
    if tls is not None:
        return ReinferUnreachable(f"TLS: {(tls.reason or 'failed').lower().replace('_', ' ')}")
    if isinstance(error, httpx.ConnectTimeout):
        return ReinferUnreachable("no connection in time")
    system = next((cause for cause in causes if isinstance(cause, OSError) and cause.strerror), None)
    return ReinferUnreachable(str(system.strerror) if system else "")


def _was_cut(error: Exception) -> bool:
    """A connection that ended too early, as against bytes that are no HTTP; httpx has one error for both."""
    return isinstance(error, httpx.RemoteProtocolError) and says_it_was_cut(error)


def _causes(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__
    return chain


def _sendable(token: str) -> str:
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ReinferTokenRefused("it is empty, or holds characters that no token has")
    return token
