"""The HTTP server of the simulators: parsed requests, and scripted faults in the delivery of responses."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable

import httpx
import pytest

from simulators.http import Delivery, HttpServer, Request, Response


def echo(request: Request) -> Response:
    return Response(body=f"{request.connection.number} {request.path}".encode(), content_type="text/plain")


def always(response: Response) -> Callable[[Request], Response]:
    return lambda _: response


def test_requests_on_one_connection_share_its_state() -> None:
    def count(request: Request) -> Response:
        state = request.connection.state
        state["seen"] = state.get("seen", 0) + 1
        return Response(body=str(state["seen"]).encode())

    with HttpServer(count) as server:
        with httpx.Client(trust_env=False) as client:
            assert [client.get(server.url).text for _ in range(3)] == ["1", "2", "3"]
        with httpx.Client(trust_env=False) as client:
            assert client.get(server.url).text == "1"


def test_a_path_stays_as_it_was_sent_and_a_body_is_unpacked() -> None:
    seen: list[Request] = []

    def keep(request: Request) -> Response:
        seen.append(request)
        return Response()

    with HttpServer(keep) as server, httpx.Client(trust_env=False) as client:
        packed = gzip.compress(b"content")
        client.post(f"{server.url}/a%20b?x=1&x=2&y=", content=packed, headers={"Content-Encoding": "gzip"})
    assert (seen[0].path, seen[0].query, seen[0].body) == ("/a%20b", {"x": ["1", "2"], "y": [""]}, b"content")


def test_responses_are_compressed_for_clients_that_accept_gzip() -> None:
    body = b"a" * 5000
    with HttpServer(always(Response(body=body))) as server, httpx.Client(trust_env=False) as client:
        packed = client.get(server.url, headers={"Accept-Encoding": "gzip"})
        plain = client.get(server.url, headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.content == plain.content == body


def test_a_bug_of_a_simulator_is_printed_and_becomes_a_500(capsys: pytest.CaptureFixture[str]) -> None:
    def fails(_: Request) -> Response:
        raise LookupError("nobody expected this")

    with HttpServer(fails) as server, httpx.Client(trust_env=False) as client:
        response = client.get(server.url)
        assert (response.status_code, response.text) == (500, "The simulator failed: LookupError")
        assert client.get(server.url).status_code == 500
    assert "nobody expected this" in capsys.readouterr().err


@pytest.mark.parametrize("after", [0, 10])
def test_a_response_can_be_cut_short_or_dropped(after: int) -> None:
    cut = Response(body=b"a" * 100, delivery=Delivery(drop_after=after))
    with HttpServer(always(cut)) as server, pytest.raises(httpx.RemoteProtocolError):
        httpx.get(server.url, trust_env=False)


def test_a_response_can_be_sent_slowly() -> None:
    slow = Response(body=b"a" * 30, delivery=Delivery(drip=100))
    with HttpServer(always(slow)) as server, httpx.Client(trust_env=False) as client:
        started = time.monotonic()
        assert len(client.get(server.url).content) == 30
    assert time.monotonic() - started >= 0.25


def test_a_server_stops_although_a_response_hangs() -> None:
    server = HttpServer(always(Response(delivery=Delivery(hang=300)))).start()
    with httpx.Client(trust_env=False, timeout=0.2) as client, pytest.raises(httpx.ReadTimeout):
        client.get(server.url)
    started = time.monotonic()
    server.stop()
    assert time.monotonic() - started < 5


def test_an_occupied_port_is_an_error_at_once() -> None:
    with HttpServer(echo) as server, pytest.raises(OSError, match="in use"):
        HttpServer(echo, port=server.port)
