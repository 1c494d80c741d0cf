"""What a server answers, a refusal included, costs bounded memory and time, packed or not, by every port.

The servers of these tests are on loopback, and unpacked nothing here is larger than what a laptop has to spare.
"""

from __future__ import annotations

import base64
import gzip
import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator

import pytest

from integrations import errors
from integrations.network import transport
from simulators.http import Delivery, Request, Response
from tests.contract.any_server import EWS, PORTS, SIGN_IN, AnyServer, any_server

MEGABYTE = 1024 * 1024
LARGE = 96 * MEGABYTE
MOST = 12 * MEGABYTE
"""Of memory in use at a time: the libraries take some megabytes, and so does a piece that is unpacked."""
NTLM_CHALLENGE = base64.b64encode(
    b"NTLMSSP\0"
    + struct.pack("<I", 2)
    + struct.pack("<HHI", 0, 0, 56)  # no name of the target
    + struct.pack("<I", 0x00828201 | 0x00080000 | 0x20000000 | 0x02000000)
    + b"8 octets"
    + bytes(8)
    + struct.pack("<HHI", 4, 4, 56)  # its information ends at once
    + bytes(8)
    + bytes(4)
).decode()


@pytest.fixture(scope="module")
def server() -> Iterator[AnyServer]:
    with any_server() as made:
        yield made


@pytest.fixture(scope="module")
def bodies() -> dict[str, tuple[bytes, tuple[tuple[str, str], ...]]]:
    spaces = b" " * LARGE
    packed = gzip.compress(spaces, compresslevel=9)
    return {
        "plain": (spaces, ()),
        "gzip": (packed, (("Content-Encoding", "gzip"),)),
        "deflate": (zlib.compress(spaces, 9), (("Content-Encoding", "deflate"),)),
        "gzip in gzip": (gzip.compress(packed), (("Content-Encoding", "gzip, gzip"),)),
    }


def costs(work: Callable[[], object]) -> tuple[int, errors.IntegrationError]:
    """The most memory in use at a time, in bytes, and what the call raised."""
    tracemalloc.start()
    try:
        with pytest.raises(errors.IntegrationError) as caught:
            work()
        return tracemalloc.get_traced_memory()[1], caught.value
    finally:
        tracemalloc.stop()


def challenged(request: Request) -> tuple[str, str]:
    """What NTLM says in answer to this request, where all ways of signing in are offered."""
    begun = request.headers.get("Authorization", "").startswith("NTLM TlRMTVNTUAAB")
    return ("WWW-Authenticate", f"NTLM {NTLM_CHALLENGE}" if begun else 'NTLM, Basic realm="x", Bearer')


@pytest.mark.parametrize("how", ["plain", "gzip", "deflate", "gzip in gzip"])
@pytest.mark.parametrize("port", PORTS)
def test_a_401_of_many_megabytes_costs_little(
    server: AnyServer, bodies: dict[str, tuple[bytes, tuple[tuple[str, str], ...]]], port: str, how: str
) -> None:
    body, headers = bodies[how]
    server.answers(
        port,
        lambda request: Response(401, body, "text/html", headers=(*headers, challenged(request)), compress=False),
    )
    call = server.check()
    most, error = costs(call)
    assert most < MOST
    if port in EWS or port == "Graph":
        assert type(error) is errors.SignInRefused
    if port == "EWS, NTLM":
        # The handshake goes to its end all the same.
        assert len(server.requests) == 3
    if port in SIGN_IN:
        assert type(error) is errors.TokenEndpointFailed


@pytest.mark.parametrize("status", [200, 404, 407, 500, 503])
@pytest.mark.parametrize("port", ["EWS, Basic", "Graph", "sign-in of EWS", "Re:infer"])
def test_an_answer_that_unpacks_to_more_than_is_read_costs_little_whatever_its_status(
    server: AnyServer,
    bodies: dict[str, tuple[bytes, tuple[tuple[str, str], ...]]],
    port: str,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport, "LARGEST_ANSWER", 4 * MEGABYTE)
    body, headers = bodies["gzip"]
    server.answers(port, lambda request: Response(status, body, headers=headers, compress=False))
    most, _ = costs(server.check())
    # Re:infer's own bound is four times that of a test.
    assert most < (64 * MEGABYTE if port == "Re:infer" else 2 * MOST)


@pytest.mark.parametrize("port", ["EWS, Basic", "EWS, NTLM", "EWS, token"])
def test_a_401_that_never_ends_is_left_at_its_bound_and_not_at_the_deadline(server: AnyServer, port: str) -> None:
    slow = Delivery(drip=MEGABYTE)
    server.answers(
        port,
        lambda request: Response(
            401, b" " * (64 * MEGABYTE), headers=(challenged(request),), delivery=slow, compress=False
        ),
    )
    begun = time.monotonic()
    assert type(costs(server.check())[1]) is errors.SignInRefused
    assert time.monotonic() - begun < 30  # the whole answer would take 64
