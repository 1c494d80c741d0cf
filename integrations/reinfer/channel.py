"""HTTP requests to one Re:infer tenant: bearer token, one deadline per call, network errors as errors of the product.

An exchange (connect, send, wait, read a slow body) never takes longer than its deadline, even if the network hangs. The
lease of a sync depends on this limit. A socket timeout cannot guarantee this limit: each received byte restarts the timeout. So
the exchange runs in an event loop, which cancels the exchange at the deadline.
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
from integrations.reinfer.remote_words import was_closed_early
from integrations.reinfer.responses import ReinferResponse
from integrations.reinfer.unpacking import Unpacked

T = TypeVar("T")

AT_ONCE = 8
"""Maximum number of concurrent requests. The vendor's own appliance uses the same number."""
LARGEST_ANSWER = 16 * 1024 * 1024
"""Maximum size of a successful response in decompressed bytes. A stored comment with markup is far
smaller. Anything larger does not come from Re:infer."""
LARGEST_REFUSAL = 1024 * 1024
"""Maximum number of decompressed bytes that are read of an error response. The response may contain a message about each
comment of a batch."""

_CONNECT_WITHIN = 10.0
"""Maximum duration of connecting to the server, in seconds."""
_KEEP_ALIVE = 15.0
"""Seconds for which an idle connection stays open."""

log = logging.getLogger(__name__)


class Channel:
    """HTTP client with one token. Opens no connection before the first exchange. Not thread-safe."""

    def __init__(self, token: str, *, deadline: float, user_agent: str, tls: ssl.SSLContext | None = None) -> None:
        """Prepare the client.

        Args:
            token: API token.
            deadline: Maximum duration of one call of `run` in seconds.
            user_agent: Value of the `User-Agent` header.
            tls: TLS context with the trusted certificate authorities; None for `usual_trust`.

        Raises:
            ReinferTokenRefused: The token is empty, or cannot be part of a header.
        """
        self._token = _checked_token(token)
        self._deadline = deadline
        self._user_agent = user_agent
        self._tls = tls
        self._runner: asyncio.Runner | None = None
        self._client: httpx.AsyncClient | None = None

    def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine within the deadline.

        Args:
            work: Function that creates the coroutine. The coroutine may call `exchange` several times.

        Returns:
            The result of the coroutine.

        Raises:
            ReinferTimedOut: The coroutine did not end by the deadline.
            IntegrationError: An error of the coroutine.
        """
        if self._runner is None:
            self._runner = asyncio.Runner()
        try:
            return self._runner.run(self._within_deadline(work))
        except IntegrationError:
            raise
        except BaseException:
            # A signal or an unexpected error ended the call. Its open requests must not continue during the next call.
            self.close()
            raise

    async def exchange(self, method: str, url: str, body: bytes | None = None) -> ReinferResponse:
        """Send one request and read its whole response.

        Args:
            method: HTTP method.
            url: Absolute URL.
            body: JSON body; None for no body.

        Returns:
            The response, which may have an error status.

        Raises:
            ReinferUnintelligible: The response is not valid HTTP, has an unknown coding, or is too large.
            IntegrationError: The host name is not valid, the certificate is not trusted, or the network fails.
        """
        client = self._open_client()
        content_type = {} if body is None else {"Content-Type": "application/json"}
        with _translated_errors():
            request = client.build_request(method, url, content=body, headers=content_type)
            async with _stream(client, request) as response:
                result = ReinferResponse(
                    status=response.status_code,
                    headers={name.lower(): value for name, value in response.headers.items()},
                    body=await self._read(response),
                    at=datetime.now(UTC),
                    secret=self._token,
                )
        log.debug("%s %s: %s", method, result.status, result.headers.get("server-timing", ""))
        return result

    def close(self) -> None:
        """Close the connections. A later call opens new ones."""
        runner, client = self._runner, self._client
        self._runner = self._client = None
        if runner is None:
            return
        with runner:
            runner.run(_close_client(client))

    async def _within_deadline(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
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

    def _open_client(self) -> httpx.AsyncClient:
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
    """Return a TLS context that trusts the usual authorities, or those in the file named by `SSL_CERT_FILE`.

    Returns:
        The context, which is made once per process because reading the authorities is slow.
    """
    return httpx.create_ssl_context()


async def _close_client(client: httpx.AsyncClient | None) -> None:
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    if client is not None:
        await client.aclose()


@asynccontextmanager
async def _stream(client: httpx.AsyncClient, request: httpx.Request) -> AsyncIterator[httpx.Response]:
    response = await client.send(request, stream=True)
    try:
        yield response
    finally:
        await response.aclose()


@contextmanager
def _translated_errors() -> Iterator[None]:
    """Translate errors of httpx to errors of the product. The texts of httpx are dropped: a text can contain an address."""
    try:
        yield
    except (httpx.InvalidURL, UnicodeError) as error:
        raise ReinferEndpointWrong("the host name is not valid") from error
    except httpx.HTTPError as error:
        raise _translate(error) from error


def _translate(error: Exception) -> IntegrationError:
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError):
        return _connection_error(error)
    if isinstance(error, httpx.TimeoutException):
        return ReinferTimedOut()
    if isinstance(error, httpx.DecodingError | httpx.RemoteProtocolError) and not _was_closed_early(error):
        return ReinferUnintelligible(type(error).__name__)
    # The connection was open, so the content of the request may be the cause.
    return ReinferFailed("the connection was lost")


def _connection_error(error: Exception) -> IntegrationError:
    causes = _cause_chain(error)
    tls = next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None)
    if isinstance(tls, ssl.SSLCertVerificationError):
        return ReinferCertificateUntrusted(tls.verify_message)
    if tls is not None:
        return ReinferUnreachable(f"TLS: {(tls.reason or 'failed').lower().replace('_', ' ')}")
    if isinstance(error, httpx.ConnectTimeout):
        return ReinferUnreachable("the connection timed out")
    system = next((cause for cause in causes if isinstance(cause, OSError) and cause.strerror), None)
    return ReinferUnreachable(str(system.strerror) if system else "")


def _was_closed_early(error: Exception) -> bool:
    """Return whether the connection was closed too early. httpx raises the same error for bytes that are not HTTP."""
    return isinstance(error, httpx.RemoteProtocolError) and was_closed_early(error)


def _cause_chain(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__
    return chain


def _checked_token(token: str) -> str:
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ReinferTokenRefused("the token is empty, or contains characters that a token cannot have")
    return token
