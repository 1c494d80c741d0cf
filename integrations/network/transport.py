"""HTTP for one connection: its own TLS context, and a limit on the duration and the size of each answer.

A time-out of `requests` restarts with every received byte, so a slow server can block a worker forever. This module
shuts the socket down at the deadline. `requests` also decompresses a body of any size, so a small answer could use all
memory. This module limits the decompressed size.
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
"""Number of decompressed bytes that are read at a time."""
LARGEST_ANSWER = 512 * 1024 * 1024
"""Maximum number of bytes of a decompressed answer with a 2xx status. The largest email that Exchange can be configured to
accept is smaller. The limit protects against a decompression bomb."""
LARGEST_REFUSAL = 64 * 1024
"""Maximum number of decompressed bytes of an answer with another status. A SOAP fault or JSON error has a few kilobytes."""


def tls_context(minimum: str, ciphers: str, ca_bundle: str) -> ssl.SSLContext:
    """Create a TLS context that trusts the authorities of the system and of a CA bundle.

    Args:
        minimum: The minimum version, a key of `TLS_VERSIONS`; blank for the default of the system.
        ciphers: A cipher list of OpenSSL; blank for the default.
        ca_bundle: Certificates in PEM; may be blank.

    Returns:
        The context.

    Raises:
        SettingsWrong: One of the settings is invalid; the detail names the setting.
    """
    context = ssl.create_default_context()
    try:
        if minimum:
            context.minimum_version = TLS_VERSIONS[minimum]
        if minimum in ("1.0", "1.1"):
            # OpenSSL allows these versions only below its default security level. Old servers support no newer version.
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
            raise SettingsWrong("CA bundle: these are not certificates in PEM format") from error
    return context


class CallDeadline:
    """The deadline of the current call. Each thread has its own deadline, because several threads use one connection.

    Attributes:
        seconds: Seconds that one call may take.
    """

    def __init__(self, seconds: float) -> None:
        """Create a deadline that is not started.

        Args:
            seconds: Seconds that one call may take.
        """
        self.seconds = seconds
        self._local = threading.local()

    def start(self) -> None:
        """Start the deadline of a new call of this thread."""
        self._local.until = time.monotonic() + self.seconds

    def until(self) -> float:
        """Return the deadline of the call of this thread, on the clock of `time.monotonic`.

        If no call of this thread was started, return the deadline of a call that starts now.
        """
        until: float = getattr(self._local, "until", time.monotonic() + self.seconds)
        return until

    def share(self, until: float) -> None:
        """Use a given deadline for the call of this thread, for example the deadline of the thread that submitted the call.

        Args:
            until: The deadline, on the clock of `time.monotonic`.
        """
        self._local.until = until

    def left(self) -> float:
        """Return the remaining time of the call of this thread.

        Returns:
            Seconds, more than 0.

        Raises:
            requests.Timeout: The deadline passed.
        """
        left = self.until() - time.monotonic()
        if left <= 0:
            raise requests.Timeout("deadline")
        return left


class DeadlineAdapter(HTTPAdapter):
    """Sends the requests of one connection to one server. Reads each answer within the deadline and the size limits."""

    def __init__(self, context: ssl.SSLContext, deadline: CallDeadline, server: str) -> None:
        """Create the adapter.

        Args:
            context: The TLS context.
            deadline: The deadline of each call.
            server: Any URL of the server. A request to another server raises an error.
        """
        self._context = context
        self._server = _origin(server)
        self._deadline = deadline
        # A blocking pool would wait forever for a connection that was not returned.
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0, pool_block=False)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Create the pool manager with the TLS context and the pool of this module."""
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"https": _pool_class()}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Return the pool manager of a proxy, with the TLS context and the pool of this module."""
        manager = super().proxy_manager_for(proxy, ssl_context=self._context, **kwargs)
        manager.pool_classes_by_scheme = {**manager.pool_classes_by_scheme, "https": _pool_class()}
        return manager

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        """Return the key of a connection pool, without the certificate authorities that requests adds.

        The TLS context already contains the authorities that the admin chose.
        """
        host, pool = super().build_connection_pool_key_attributes(request, True, cert)
        return host, {key: value for key, value in pool.items() if key not in ("ca_certs", "ca_cert_dir")}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Require a certificate that the TLS context trusts."""
        conn.cert_reqs, conn.ca_certs, conn.ca_cert_dir = "CERT_REQUIRED", None, None

    def send(self, request: Any, *args: Any, **kwargs: Any) -> requests.Response:
        """Send a request and read the whole answer.

        The body of an answer with another status than 2xx is truncated after `LARGEST_REFUSAL` bytes. This is not an
        error, because the status already shows the failure. The attribute `peer_certificate` of the answer is the
        certificate of the server (DER), for the channel binding of NTLM. This method reads the certificate, because the
        connection may be closed later.

        Args:
            request: The prepared request.
            *args: Ignored.
            **kwargs: As in `HTTPAdapter.send`; `stream`, `timeout` and `verify` are overridden.

        Returns:
            The answer with its body.

        Raises:
            requests.Timeout: The deadline passed during any part of the call.
            requests.exceptions.ContentDecodingError: A successful answer is larger than `LARGEST_ANSWER`.
            requests.RequestException: Any other error of requests.
        """
        if _origin(request.url) != self._server:
            raise requests.exceptions.InvalidURL("another server")
        left = self._deadline.left()
        timer = _CallTimer(left)
        kwargs.update(stream=True, timeout=left, verify=True)
        with timer:
            try:
                response = super().send(request, **kwargs)
                response.peer_certificate = timer.certificate()  # type: ignore[attr-defined]
                _read(response)
            except (requests.RequestException, OSError, ssl.SSLError) as error:
                if timer.fired and not isinstance(error, requests.ConnectTimeout):
                    raise requests.Timeout("deadline") from error
                raise
            if timer.fired:
                raise requests.Timeout("deadline")
            return response


class _CallTimer:
    """Shuts down the sockets that the current thread opens or uses, at the deadline of its call."""

    current = threading.local()

    def __init__(self, seconds: float) -> None:
        self.until = time.monotonic() + seconds
        self.fired = False
        self._connections: list[Any] = []
        self._sockets: list[Any] = []
        self._timer = threading.Timer(seconds, self._fire)
        self._timer.daemon = True

    def __enter__(self) -> _CallTimer:
        _CallTimer.current.timer = self
        self._timer.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._timer.cancel()
        _CallTimer.current.timer = None

    def add(self, connection: Any) -> None:
        """Add a connection whose socket is shut down at the deadline."""
        self._connections.append(connection)

    def add_socket_of(self, connection: Any) -> None:
        """Add the current socket of a connection.

        The socket is stored separately, because after an answer with `Connection: close` the attribute `sock` of the
        connection is None, although the body was not read yet.
        """
        self._sockets.append(connection.sock)

    def certificate(self) -> bytes | None:
        """Return the certificate (DER) of the server that answered; None before an answer."""
        certificate: bytes | None = self._sockets[-1].getpeercert(True) if self._sockets else None
        return certificate

    def _fire(self) -> None:
        self.fired = True
        for open_socket in [*self._sockets, *(connection.sock for connection in self._connections)]:
            if open_socket is not None:
                with contextlib.suppress(OSError):
                    # SSLSocket.shutdown would remove the TLS state that the reading thread uses.
                    socket.socket.shutdown(open_socket, socket.SHUT_RDWR)


def _pool_class() -> type[HTTPSConnectionPool]:
    class ServerConnection(HTTPSConnection):
        def request(self, *args: Any, **kwargs: Any) -> Any:
            _add_to_timer(self)
            return super().request(*args, **kwargs)

        def connect(self) -> Any:
            _add_to_timer(self)
            return super().connect()

        def _new_conn(self) -> socket.socket:
            timer = _current_timer()
            until = timer.until if timer is not None else time.monotonic() + EACH_ADDRESS
            try:
                return connected(self._dns_host, self.port, self.socket_options or (), until)
            except socket.gaierror as error:
                raise NameResolutionError(self.host, self, error) from error
            except TimeoutError as error:
                raise ConnectTimeoutError(self, "no answer") from error
            except OSError as error:
                raise NewConnectionError(self, str(error)) from error

        def getresponse(self) -> Any:
            if (timer := _current_timer()) is not None:
                timer.add_socket_of(self)
            return super().getresponse()

    class Pool(HTTPSConnectionPool):
        ConnectionCls = ServerConnection

    return Pool


def _current_timer() -> _CallTimer | None:
    return getattr(_CallTimer.current, "timer", None)


def _add_to_timer(connection: Any) -> None:
    if (timer := _current_timer()) is not None:
        timer.add(connection)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else None)


def _read(response: requests.Response) -> None:
    """Read the body, up to its limit, in large chunks: exchangelib would read it byte by byte."""
    limit = LARGEST_ANSWER if 200 <= response.status_code < 300 else LARGEST_REFUSAL
    body = BytesIO()
    try:
        for chunk in response.raw.stream(min(CHUNK, limit), decode_content=True):
            body.write(chunk)
            if body.tell() > limit:
                # The connection cannot be reused, because the rest of this body would precede the next answer. The
                # place of the connection in the pool is released.
                response.raw.close()
                response.raw.release_conn()
                break
    except requests.RequestException:
        raise
    except OSError as error:
        raise requests.exceptions.ConnectionError(type(error).__name__) from error
    except HTTPError as error:
        raise requests.exceptions.ChunkedEncodingError(type(error).__name__) from error
    if body.tell() > limit:
        if limit == LARGEST_ANSWER:
            raise requests.exceptions.ContentDecodingError("the answer is too large")
        body.truncate(limit)
    elif _is_short(response, body.tell()):
        raise requests.exceptions.ChunkedEncodingError("the answer was cut short")
    response._content = body.getvalue()
    response._content_consumed = True  # type: ignore[attr-defined]


def _is_short(response: requests.Response, length: int) -> bool:
    expected = response.headers.get("Content-Length") or ""
    return not response.headers.get("Content-Encoding") and expected.isdecimal() and length < int(expected)
