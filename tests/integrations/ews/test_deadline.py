"""No call takes longer than its deadline, and no truncated answer is accepted."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from integrations.errors import ExchangeFailed, ExchangeTimedOut, ExchangeUnreachable, IntegrationError, Transient
from integrations.ews.connection import ConnectionSettings
from integrations.ews.source import ExchangeSource
from integrations.network import transport
from simulators.http import Response
from tests.integrations.ews.conftest import World
from tests.integrations.ews.peers import ADDRESS, XML, impatient, peer, raw_peer

DEADLINE = 0.4
LATEST = 3.0
"""Maximum seconds until an error. A busy machine needs more than `DEADLINE`. Without a deadline, calls take 30 or more."""


def fault_of(work: Callable[[], object]) -> IntegrationError:
    start = time.monotonic()
    with pytest.raises(IntegrationError) as caught:
        work()
    assert time.monotonic() - start < LATEST
    return caught.value


def check(settings: ConnectionSettings) -> Callable[[], object]:
    return ExchangeSource(settings, ADDRESS).check


@pytest.mark.parametrize(
    "fault", [{"effect": "hang", "seconds": 30}, {"effect": "drip", "rate": 20}], ids=["hang", "drip"]
)
def test_a_server_that_hangs_or_drips_is_aborted_at_the_deadline_and_the_next_call_works(
    world: World, fault: dict[str, object]
) -> None:
    settings = impatient(world.settings(), DEADLINE)
    world.exchange.faults.add(**fault, times=1)  # type: ignore[arg-type]
    source = world.source(settings)
    assert isinstance(fault_of(source.check), ExchangeTimedOut)
    source.check()


def drip(connection: socket.socket, stop: threading.Event, data: bytes) -> None:
    for place in range(len(data)):
        connection.sendall(data[place : place + 1])
        if stop.wait(0.05):
            return


LONG = b"X-Padding: " + b"x" * 2000 + b"\r\n"


def test_a_server_that_drips_its_headers_is_aborted_at_the_deadline() -> None:
    with raw_peer(lambda to, stop: drip(to, stop, b"HTTP/1.1 200 OK\r\n" + LONG)) as peer_server:
        assert isinstance(fault_of(check(impatient(peer_server.settings, DEADLINE))), ExchangeTimedOut)


@pytest.mark.parametrize("length", [b"Content-Length: 5000\r\n", b""], ids=["counted", "until it closes"])
def test_a_dripping_answer_with_connection_close_is_aborted_at_the_deadline(length: bytes) -> None:
    def talk(connection: socket.socket, stop: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + length + b"\r\n")
        drip(connection, stop, b"x" * 5000)

    with raw_peer(talk) as peer_server:
        assert isinstance(fault_of(check(impatient(peer_server.settings, DEADLINE))), ExchangeTimedOut)


@pytest.mark.parametrize("auth", ["basic", "ntlm"])
def test_a_dripping_401_is_aborted_at_the_deadline(auth: str) -> None:
    head = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM\r\nContent-Length: 5000\r\n\r\n"

    def talk(connection: socket.socket, stop: threading.Event) -> None:
        connection.sendall(head)
        drip(connection, stop, b"x" * 5000)

    with raw_peer(talk) as peer_server:
        settings = replace(impatient(peer_server.settings, DEADLINE), auth=auth)
        assert isinstance(fault_of(check(settings)), Transient)


def test_a_server_without_a_tls_handshake_is_aborted_at_the_deadline(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        endpoint = f"https://127.0.0.1:{listener.getsockname()[1]}/EWS/Exchange.asmx"
        settings = replace(impatient(world.settings(), DEADLINE), endpoint=endpoint)
        assert isinstance(fault_of(check(settings)), ExchangeTimedOut | ExchangeUnreachable)


def test_a_token_service_that_hangs_is_aborted_at_the_deadline(world: World) -> None:
    with raw_peer(lambda _, stop: bool(stop.wait(30))) as peer_server:
        settings = replace(
            impatient(world.settings("OAuth, impersonation"), DEADLINE),
            authority=peer_server.settings.endpoint.removesuffix("/EWS/Exchange.asmx"),
            ca_bundle=world.exchange.ca + peer_server.settings.ca_bundle,
        )
        assert isinstance(fault_of(check(settings)), Transient)


@pytest.mark.parametrize("after", [0, 50])
def test_a_closed_connection_is_a_transient_failure(world: World, after: int) -> None:
    world.exchange.faults.add("drop", bytes=after, times=1)
    source = world.source()
    assert isinstance(fault_of(source.check), ExchangeFailed)
    source.check()


@pytest.mark.parametrize("length", [0, 1, 300, -1, -30])
def test_truncated_xml_is_never_a_page(world: World, length: int) -> None:
    world.deliver("a")
    world.exchange.faults.add("truncate", operation="SyncFolderItems", bytes=length)
    assert isinstance(fault_of(lambda: world.listed(world.source())), ExchangeFailed)


def test_an_answer_that_decompresses_to_too_many_bytes_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "LARGEST_ANSWER", 8 * 1024 * 1024)
    bomb = gzip.compress(b" " * 64 * 1024 * 1024)
    response = Response(200, bomb, XML, headers=(("Content-Encoding", "gzip"),), compress=False)
    with peer(lambda _: response) as peer_server:
        assert isinstance(fault_of(check(peer_server.settings)), ExchangeFailed)


def test_an_answer_with_broken_gzip_data_is_a_failure() -> None:
    response = Response(200, b"no gzip at all" * 200, XML, headers=(("Content-Encoding", "gzip"),), compress=False)
    with peer(lambda _: response) as peer_server:
        assert isinstance(fault_of(check(peer_server.settings)), ExchangeFailed)
