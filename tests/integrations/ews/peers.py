"""TLS servers that replace Exchange. A test defines their responses; `peer` also records the requests."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from integrations.ews.connection import ConnectionSettings
from simulators.exchange import Store, soap
from simulators.exchange.accounts import Principal
from simulators.exchange.operations import EwsRequestHandler
from simulators.exchange.tls import Authority
from simulators.faults import Faults
from simulators.http import HttpServer, Request, Response

XML = "text/xml; charset=utf-8"
ADDRESS = "desk@bank.example"


@dataclass
class Peer:
    """A server: the settings of a connection to it, and the requests that it received (none for `raw_peer`)."""

    settings: ConnectionSettings
    requests: list[Request] = field(default_factory=list)


@contextmanager
def peer(answer: Callable[[Request], Response], *, tls: Callable[[ssl.SSLContext], object] = bool) -> Iterator[Peer]:
    """Run a server that responds with `answer`. `tls` can change the TLS context before the server uses it."""
    authority = Authority()
    context = authority.server_context()
    tls(context)
    requests: list[Request] = []

    def recorded(request: Request) -> Response:
        requests.append(request)
        return answer(request)

    with HttpServer(recorded, tls=context) as server:
        yield Peer(_settings(server.url, authority.pem), requests)


@contextmanager
def raw_peer(talk: Callable[[socket.socket, threading.Event], object]) -> Iterator[Peer]:
    """Run a server that receives once from each connection and then calls `talk`, which sends raw bytes."""
    authority = Authority()
    context, stop = authority.server_context(), threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(65_536)
            talk(secured, stop)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield Peer(_settings(f"https://127.0.0.1:{listener.getsockname()[1]}", authority.pem))
    finally:
        stop.set()
        listener.close()


def _settings(url: str, ca: str) -> ConnectionSettings:
    return ConnectionSettings(
        url,
        f"{url}/EWS/Exchange.asmx",
        "basic",
        "impersonation",
        username="svc",
        password="s3cret",
        build_version="15.1.2507.39",
        ca_bundle=ca,
        deadline=5,
    )


def answers_of(store: Store) -> Callable[[Request], Response]:
    """Return a function that answers like an Exchange with this store. It requires no sign-in."""

    def answer(request: Request) -> Response:
        call = soap.parse(request.body)
        desk = EwsRequestHandler(
            store, Faults(), Principal("svc", application=False, impersonated=None), "15.1.2507.39"
        )
        return Response(200, desk.answer(call), XML)

    return answer


def modified(answer: Callable[[Request], Response], modify: Callable[[bytes], bytes]) -> Callable[[Request], Response]:
    """Return a function that answers like `answer`, with bodies that `modify` changed."""

    def modified_answer(request: Request) -> Response:
        response = answer(request)
        return replace(response, body=modify(response.body))

    return modified_answer


def impatient(settings: ConnectionSettings, seconds: float = 0.5) -> ConnectionSettings:
    return replace(settings, deadline=seconds)
