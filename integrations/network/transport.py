"""HTTP as one connection needs it: its own TLS context, and a bound on how long and how large any answer can be.

A time-out of `requests` restarts with every byte, so a server that drips keeps a worker for ever. Here a timer ends the
socket itself. And `requests` reads a body to its end and unpacks it whole, so a small answer can take all memory.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError

from integrations.errors import SettingsWrong
from integrations.network.addresses import EACH_ADDRESS, connected

TLS_VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}
CHUNK = 1024 * 1024
LARGEST_ANSWER = 512 * 1024 * 1024
"""Bytes, decompressed: an email of the largest size Exchange can be set to, and no bomb."""
LARGEST_REFUSAL = 64 * 1024
"""Bytes, decompressed, that are read of an answer that is no success: a fault or an error in JSON takes a few thousand."""


def tls_context(minimum: str, ciphers: str, ca_bundle: str) -> ssl.SSLContext:
    """The system's authorities and those of `ca_bundle` (PEM). Raises `SettingsWrong` naming the setting."""
    context = ssl.create_default_context()
    try:
        if minimum:
            context.minimum_version = TLS_VERSIONS[minimum]
        if minimum in ("1.0", "1.1"):
            # OpenSSL allows them only below its usual security level; Exchange 2010 speaks nothing newer.
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
    except (KeyError, ValueError, ssl.SSLError) as error:
        raise SettingsWrong("minimum TLS version") from error
    if ciphers:
        try:
            context.set_ciphers(ciphers)
        except ssl.SSLError as error:
            raise SettingsWrong("TLS cipher list") from error
    if ca_bundle.strip():
        try:
            context.load_verify_locations(cadata=ca_bundle)
        except (ssl.SSLError, ValueError) as error:
            raise SettingsWrong("CA bundle: these are no certificates in PEM form") from error
    return context


class CallDeadline:
    """When the call in hand must have ended. One for each thread, since a connection serves several."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._local = threading.local()

    def start(self) -> None:
        self._local.until = time.monotonic() + self.seconds

    def until(self) -> float:
        """When the call of this thread must have ended, by `time.monotonic`."""
        until: float = getattr(self._local, "until", time.monotonic() + self.seconds)
        return until

    def share(self, until: float) -> None:
        """This thread helps with the call of another, and ends with it."""
        self._local.until = until

    def left(self) -> float:
        """Seconds; raises `requests.Timeout` when there are none."""
        left = self.until() - time.monotonic()
        if left <= 0:
            raise requests.Timeout("deadline")
        return left


class DeadlineAdapter(HTTPAdapter):
    """Sends requests of one connection to one server. Reads each answer in one piece, in time and within bounds."""

    def __init__(self, context: ssl.SSLContext, deadline: CallDeadline, server: str) -> None:
        """`server`: any address of the server that alone is sent to."""
        self._context = context
        self._server = _origin(server)
        self._deadline = deadline
        # A pool that blocks waits for ever for a connection that was not given back.
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0, pool_block=False)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"https": _pool_class()}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, ssl_context=self._context, **kwargs)
        manager.pool_classes_by_scheme = {**manager.pool_classes_by_scheme, "https": _pool_class()}
        return manager

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        host, pool = super().build_connection_pool_key_attributes(request, True, cert)
        # The context knows whom to trust; what requests would add of its own is not what the admin chose.
        return host, {key: value for key, value in pool.items() if key not in ("ca_certs", "ca_cert_dir")}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        conn.cert_reqs, conn.ca_certs, conn.ca_cert_dir = "CERT_REQUIRED", None, None

    def send(self, request: Any, *args: Any, **kwargs: Any) -> requests.Response:
        """Raises what requests raises; `requests.Timeout` for the deadline, whatever it ended.

        The answer to a request that was refused (any status but 2xx) ends after `LARGEST_REFUSAL` bytes: its status says
        enough. A larger success than `LARGEST_ANSWER` raises `ContentDecodingError`. `peer_certificate` of the answer is
        the server's (DER), to which NTLM binds; the connection may be closed when somebody asks for it.
        """
        if _origin(request.url) != self._server:
            raise requests.exceptions.InvalidURL("another server")
        left = self._deadline.left()
        watch = _CallWatch(left)
        kwargs.update(stream=True, timeout=left, verify=True)
        with watch:
            try:
                response = super().send(request, **kwargs)
                response.peer_certificate = watch.certificate()  # type: ignore[attr-defined]
                _read(response)
            except (requests.RequestException, OSError, ssl.SSLError) as error:
                if watch.fired and not isinstance(error, requests.ConnectTimeout):
                    raise requests.Timeout("deadline") from error
                raise
            if watch.fired:
                raise requests.Timeout("deadline")
            return response


class _CallWatch:
    """Ends the sockets that this thread opened or used since, when the time is over."""

    current = threading.local()

    def __init__(self, seconds: float) -> None:
        self.until = time.monotonic() + seconds
        self.fired = False
        self._connections: list[Any] = []
        self._sockets: list[Any] = []
        self._timer = threading.Timer(seconds, self._fire)
        self._timer.daemon = True

    def __enter__(self) -> _CallWatch:
        _CallWatch.current.watch = self
        self._timer.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._timer.cancel()
        _CallWatch.current.watch = None

    def add(self, connection: Any) -> None:
        self._connections.append(connection)

    def answering(self, connection: Any) -> None:
        """The connection lets go of its socket, still to be read from, when the answer says that it is the last."""
        self._sockets.append(connection.sock)

    def certificate(self) -> bytes | None:
        """The certificate (DER) of the server that answered."""
        certificate: bytes | None = self._sockets[-1].getpeercert(True) if self._sockets else None
        return certificate

    def _fire(self) -> None:
        self.fired = True
        for open_socket in [*self._sockets, *(connection.sock for connection in self._connections)]:
            if open_socket is not None:
                with contextlib.suppress(OSError):
                    # Not SSLSocket.shutdown: it would pull the TLS state from under the thread that reads.
                    socket.socket.shutdown(open_socket, socket.SHUT_RDWR)


def _pool_class() -> type[HTTPSConnectionPool]:
    class ServerConnection(HTTPSConnection):
        def request(self, *args: Any, **kwargs: Any) -> Any:
            _watched(self)
            return super().request(*args, **kwargs)

        def connect(self) -> Any:
            _watched(self)
            return super().connect()

        def _new_conn(self) -> socket.socket:
            watch = _watch()
            until = watch.until if watch is not None else time.monotonic() + EACH_ADDRESS
            try:
                return connected(self._dns_host, self.port, self.socket_options or (), until)
            except socket.gaierror as error:
                raise NameResolutionError(self.host, self, error) from error
            except TimeoutError as error:
                raise ConnectTimeoutError(self, "no answer") from error
            except OSError as error:
                raise NewConnectionError(self, str(error)) from error

        def getresponse(self) -> Any:
            if (watch := _watch()) is not None:
                watch.answering(self)
            return super().getresponse()

    class Pool(HTTPSConnectionPool):
        ConnectionCls = ServerConnection

    return Pool


def _watch() -> _CallWatch | None:
    return getattr(_CallWatch.current, "watch", None)


def _watched(connection: Any) -> None:
    if (watch := _watch()) is not None:
        watch.add(connection)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else None)


def _read(response: requests.Response) -> None:
    """The body in one piece: exchangelib's own way is a call for each byte."""
    most = LARGEST_ANSWER if 200 <= response.status_code < 300 else LARGEST_REFUSAL
    body = BytesIO()
    try:
        for chunk in response.raw.stream(min(CHUNK, most), decode_content=True):
            body.write(chunk)
            if body.tell() > most:
                # What is still to come stands in the way of the next answer. The place in the pool is free again.
                response.raw.close()
                response.raw.release_conn()
                break
    except requests.RequestException:
        raise
    except OSError as error:
        raise requests.exceptions.ConnectionError(type(error).__name__) from error
    except HTTPError as error:
        raise requests.exceptions.ChunkedEncodingError(type(error).__name__) from error
    if body.tell() > most:
        if most == LARGEST_ANSWER:
            raise requests.exceptions.ContentDecodingError("the answer is too large")
        body.truncate(most)
    elif _is_short(response, body.tell()):
        raise requests.exceptions.ChunkedEncodingError("the answer was cut short")
    response._content = body.getvalue()
    response._content_consumed = True  # type: ignore[attr-defined]


def _is_short(response: requests.Response, length: int) -> bool:
    expected = response.headers.get("Content-Length") or ""
    return not response.headers.get("Content-Encoding") and expected.isdecimal() and length < int(expected)
