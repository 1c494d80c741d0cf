"""A small HTTP/1.1 server for the simulators: keep-alive, one thread and one `Connection` per TCP connection.

The server is based on `http.server`, so that a scripted fault controls each byte of a response: the response can be
truncated, sent slowly, or not sent.
"""

from __future__ import annotations

import contextlib
import gzip
import itertools
import socket
import ssl
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol, Self
from urllib.parse import parse_qs

MAX_BODY = 256 * 1024 * 1024
GZIP_FROM = 1024


@dataclass
class Connection:
    """One TCP connection. `state` is kept until the connection closes; it contains an NTLM context, for example."""

    number: int
    state: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    """Not percent-decoded, without the query."""
    query: Mapping[str, list[str]]
    headers: Message
    body: bytes
    """Decompressed if the Content-Encoding is gzip."""
    connection: Connection


@dataclass(frozen=True)
class Delivery:
    """How the bytes of a response are sent."""

    hang: float = 0.0
    """Seconds before the first byte."""
    drop_after: int | None = None
    """Number of bytes of the body after which the connection closes; 0: the headers are not sent either."""
    drip: int | None = None
    """Bytes of the body per second."""


WHOLE = Delivery()


@dataclass(frozen=True)
class Response:
    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    label: str = ""
    """Part of the names of the recorded files, such as the operation. If the label is blank, the path is used."""
    delivery: Delivery = WHOLE
    compress: bool = True
    """Whether a body of at least `GZIP_FROM` bytes is compressed if the client accepts gzip."""


class Records(Protocol):
    def record(self, request: Request, response: Response) -> None: ...


class HttpServer:
    """Serves the responses of the function `answer`, on one thread for each connection.

    Port 0 selects a free port. An occupied port raises `OSError`.
    """

    def __init__(
        self,
        answer: Callable[[Request], Response],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        recorder: Records | None = None,
    ) -> None:
        self.answer = answer
        self.recorder = recorder
        self.stopping = threading.Event()
        self._tls = tls
        self._server = _Server((host, port), self)
        self.host, self.port = host, int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{self.host}:{self.port}"

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        self.stopping.set()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self._server.close_connections()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def respond(self, request: Request) -> Response:
        """The response of `answer`. An exception is a bug of the simulator: it is printed and becomes a 500."""
        try:
            return self.answer(request)
        except Exception as error:  # noqa: BLE001  # outermost handler of the server
            traceback.print_exc()
            text = f"The simulator failed: {type(error).__name__}".encode()
            return Response(500, text, "text/plain", label="simulator-failed")

    def secure(self, connection: socket.socket) -> socket.socket:
        """Do the TLS handshake, if any, on the thread of the connection, so that a slow client does not delay other clients."""
        return self._tls.wrap_socket(connection, server_side=True) if self._tls else connection


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], owner: HttpServer) -> None:
        self.owner = owner
        self.numbers = itertools.count(1)
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, _Handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        request.settimeout(300)
        with contextlib.suppress(OSError, ssl.SSLError):
            secured = self.owner.secure(request)
            with self._lock:
                self._open.add(secured)
            try:
                _Handler(secured, client_address, self)
            finally:
                with self._lock:
                    self._open.discard(secured)
                secured.close()

    def close_connections(self) -> None:
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: the client closed the connection or sent a malformed request."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    disable_nagle_algorithm = True
    wbufsize = -1

    def setup(self) -> None:
        super().setup()
        self.tcp = Connection(next(self.server.numbers))

    def handle_one_request(self) -> None:
        with contextlib.suppress(OSError, ssl.SSLError):
            super().handle_one_request()
            return
        self.close_connection = True

    def _serve(self) -> None:
        body = self._body()
        if body is None:
            return
        path, _, query = self.path.partition("?")
        request = Request(self.command, path, parse_qs(query, keep_blank_values=True), self.headers, body, self.tcp)
        response = self.server.owner.respond(request)
        if self.server.owner.recorder is not None:
            self.server.owner.recorder.record(request, response)
        self._send(response)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = _serve

    def _body(self) -> bytes | None:
        if "chunked" in (self.headers.get("Transfer-Encoding") or "").lower():
            raw = self._chunks()
        else:
            length = int(self.headers.get("Content-Length") or 0)
            if length > MAX_BODY:
                self.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
                self.close_connection = True
                return None
            raw = self.rfile.read(length)
        return gzip.decompress(raw) if self.headers.get("Content-Encoding", "").lower() == "gzip" else raw

    def _chunks(self) -> bytes:
        parts = []
        while size := int(self.rfile.readline().split(b";")[0].strip() or b"0", 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _send(self, response: Response) -> None:
        delivery = response.delivery
        if delivery.hang and self.server.owner.stopping.wait(delivery.hang):
            self.close_connection = True
            return
        body, headers = self._encoded(response)
        if delivery.drop_after is not None:
            self.close_connection = True
            if delivery.drop_after == 0:
                return
        self.send_response_only(response.status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        body = b"" if self.command == "HEAD" else body
        if delivery.drip:
            self._drip(body, delivery.drip)
        else:
            self.wfile.write(body if delivery.drop_after is None else body[: delivery.drop_after])
        self.wfile.flush()

    def _encoded(self, response: Response) -> tuple[bytes, list[tuple[str, str]]]:
        headers = list(response.headers)
        body = response.body
        if body:
            headers.append(("Content-Type", response.content_type))
        accepts = "gzip" in (self.headers.get("Accept-Encoding") or "")
        if response.compress and accepts and len(body) >= GZIP_FROM:
            body = gzip.compress(body, compresslevel=1)
            headers.append(("Content-Encoding", "gzip"))
        return body, [*headers, ("Content-Length", str(len(body)))]

    def _drip(self, body: bytes, rate: int) -> None:
        step = max(1, rate // 20)
        for start in range(0, len(body), step):
            self.wfile.write(body[start : start + step])
            self.wfile.flush()
            if self.server.owner.stopping.wait(step / rate):
                return

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # name of the overridden method's argument
        """Log nothing: a request may contain an email."""
