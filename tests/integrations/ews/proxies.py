"""A small HTTP proxy for tests, which supports only CONNECT."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Proxy:
    url: str
    targets: list[str] = field(default_factory=list)
    """Requested hosts and ports, each followed by the credentials for the proxy if the client sent any."""


@contextmanager
def connect_proxy(refusal: bytes = b"", *, to: tuple[str, int] | None = None) -> Iterator[Proxy]:
    """Run a proxy.

    Args:
        refusal: The HTTP status with which the proxy refuses each tunnel; empty to open tunnels.
        to: Host and port to which each tunnel leads; None for the host and port that the client requests.

    Yields:
        The proxy.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    proxy = Proxy(f"http://127.0.0.1:{listener.getsockname()[1]}")

    def serve(client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            head = client.recv(65_536).decode()
            target = head.split()[1]
            credentials = [
                line.partition(": ")[2] for line in head.splitlines() if line.startswith("Proxy-Authorization")
            ]
            proxy.targets.append(" ".join([target, *credentials]))
            if refusal:
                client.sendall(b"HTTP/1.1 " + refusal + b"\r\nContent-Length: 0\r\n\r\n")
                return
            host, _, port = target.rpartition(":")
            with socket.create_connection(to or (host, int(port))) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=_pump, args=(server, client), daemon=True)
                back.start()
                _pump(client, server)
                back.join()

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield proxy
    finally:
        listener.close()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
