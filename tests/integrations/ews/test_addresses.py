"""A host name with several addresses: the first address that accepts a connection is used.

If no address answers, all attempts together take no more than the deadline.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from integrations.errors import ExchangeUnreachable
from integrations.ews.connection import ConnectionSettings
from integrations.ews.source import ExchangeSource
from integrations.network import addresses

Resolve = Callable[..., None]
NAME = "mail.bank.example"


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """Return a function that sets the addresses of `NAME`."""

    def resolve(*hosts: str) -> None:
        original = socket.getaddrinfo

        def lookup(host: str, port: int, *rest: int) -> list[object]:
            names = hosts if host == NAME else (host,)
            return [entry for name in names for entry in original(name, port, *rest)]

        monkeypatch.setattr(socket, "getaddrinfo", lookup)

    return resolve


@pytest.fixture
def silent() -> Iterator[int]:
    """A port on which 127.0.0.2, 127.0.0.3 and 127.0.0.4 do not answer, because their listen queues are full."""
    with contextlib.ExitStack() as stack:
        port = 0
        for host in ("127.0.0.2", "127.0.0.3", "127.0.0.4"):
            listener = stack.enter_context(socket.socket())
            listener.bind((host, port))
            port = listener.getsockname()[1]
            listener.listen(0)
            for _ in range(3):
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    waiting.connect((host, port))
        yield port


def connect(port: int, seconds: float) -> socket.socket:
    return addresses.connected(NAME, port, [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)], time.monotonic() + seconds)


def test_silent_addresses_together_take_no_more_than_the_deadline(resolve: Resolve, silent: int) -> None:
    resolve("127.0.0.2", "127.0.0.3", "127.0.0.4")
    settings = ConnectionSettings(
        "silent",
        f"https://{NAME}:{silent}/EWS/Exchange.asmx",
        "basic",
        "impersonation",
        username="svc",
        password="s3cret",
        build_version="15.1.2507.39",
        deadline=0.3,
    )
    start = time.monotonic()
    with pytest.raises(ExchangeUnreachable) as caught:
        ExchangeSource(settings, "desk@bank.example").check()
    assert time.monotonic() - start < 0.8
    assert caught.value.detail == "no answer"


def test_the_next_address_is_tried_after_a_silent_or_closed_one(
    resolve: Resolve, silent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addresses, "EACH_ADDRESS", 0.1)
    resolve("127.0.0.5", "127.0.0.2", "127.0.0.1")
    with socket.create_server(("127.0.0.1", silent)), connect(silent, 30) as connected_socket:
        assert connected_socket.getpeername()[0] == "127.0.0.1"
        assert connected_socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert 25 < connected_socket.gettimeout() <= 30


def test_a_name_without_an_address_is_an_error(resolve: Resolve, silent: int) -> None:
    resolve()
    with pytest.raises(OSError, match="no address"):
        connect(silent, 30)
