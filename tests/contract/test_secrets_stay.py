"""No answer of a server causes a secret to be sent to another server, or to the same server without TLS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from integrations import errors
from integrations.network.session import MAX_COOKIES, ServerSession
from integrations.network.transport import CallDeadline, tls_context
from notifications.sending import NotSent, send
from simulators.http import HttpServer, Request, Response
from tests.contract.any_server import EWS, PORTS, SIGN_IN, AnyServer, any_server

REDIRECTS = (300, 301, 302, 303, 305, 307, 308)
TOKEN = b'{"access_token": "stolen", "expires_in": 3600, "token_type": "Bearer", "status": "ok"}'


@pytest.fixture(scope="module")
def server() -> Iterator[AnyServer]:
    with any_server() as made:
        yield made


@pytest.fixture
def other(server: AnyServer) -> Iterator[AnyServer]:
    """A second trusted server that accepts all requests. It can be reached with and without TLS."""
    with any_server(server.authority) as made:
        made.answers("", lambda request: Response(200, TOKEN))
        yield made


def _host(server: AnyServer, port: str) -> str:
    return (server.plain_url if port == "Re:infer" else server.url).partition("//")[2]


def refused(server: AnyServer) -> list[errors.IntegrationError]:
    raised = []
    for call in server.calls():
        with pytest.raises(errors.IntegrationError) as caught:
            call()
        raised.append(caught.value)
    return raised


@pytest.mark.parametrize("status", REDIRECTS)
@pytest.mark.parametrize("port", PORTS)
def test_no_adapter_follows_a_redirect(server: AnyServer, other: AnyServer, port: str, status: int) -> None:
    for target in (other.url, other.plain_url, server.plain_url):
        location = (("Location", f"{target}/tenant/oauth2/v2.0/token"),)
        server.answers(port, lambda request, headers=location: Response(status, TOKEN, headers=headers))  # type: ignore[misc]
        raised = refused(server)
        if port in SIGN_IN:
            # An invalid cursor is refused without a request.
            kinds = {type(error) for error in raised} - {errors.CursorRefused}
            assert kinds == {errors.TokenEndpointFailed}
        assert other.requests == []
        assert {request.headers["Host"] for request in server.requests} == {_host(server, port)}
        assert all("/token" not in request.path or port.startswith("sign-in") for request in server.requests)


@pytest.mark.parametrize("port", [*EWS, "Graph", "Re:infer"])
def test_no_request_is_sent_to_another_server_that_a_refusal_names(
    server: AnyServer, other: AnyServer, port: str
) -> None:
    headers = (
        ("WWW-Authenticate", f'Bearer realm="", authorization_uri="{other.url}/common/oauth2/authorize"'),
        ("WWW-Authenticate", "NTLM"),
        ("WWW-Authenticate", f'Basic realm="{other.url}"'),
        ("Location", other.url),
        ("Content-Location", other.url),
        ("Refresh", f"0; url={other.url}"),
        ("Alt-Svc", f'h2="{other.url.removeprefix("https://")}"'),
        ("X-FEServer", other.url),
    )
    server.answers(port, lambda request: Response(401, b"", headers=headers))
    refused(server)
    assert server.requests
    assert other.requests == []


@pytest.mark.parametrize("status", REDIRECTS)
def test_a_webhook_follows_no_redirect(status: int) -> None:
    received: list[Request] = []

    def receive(request: Request) -> Response:
        received.append(request)
        return Response(204)

    with (
        HttpServer(receive) as elsewhere,
        HttpServer(lambda _: Response(status, headers=(("Location", f"{elsewhere.url}/in"),))) as first,
        pytest.raises(NotSent, match=f"HTTP {status}"),
    ):
        send(f"{first.url}/in", b"{}", {"X-Signature": "t=1,v1=ab"}, allow_private=True)
    assert received == []


# ---- the session class of all mail adapters -----------------------------------------------------------------------


@pytest.fixture
def session(server: AnyServer) -> Iterator[ServerSession]:
    with ServerSession(
        server.url, context=tls_context("", "", server.authority.pem), deadline=CallDeadline(5), user_agent="test"
    ) as made:
        yield made


def test_a_session_follows_no_redirect_even_when_a_library_asks_it_to(
    server: AnyServer, other: AnyServer, session: ServerSession
) -> None:
    location = (("Location", f"{other.plain_url}/token"),)
    server.answers("", lambda request: Response(307, b"", headers=location))
    response = session.post(f"{server.url}/token", data={"client_secret": "s3cret"}, allow_redirects=True)
    assert response.status_code == 307
    assert other.requests == []


def test_a_session_sends_nothing_to_another_server_or_without_tls(
    server: AnyServer, other: AnyServer, session: ServerSession
) -> None:
    server.answers("", lambda request: Response(200))
    for url in (other.url, other.plain_url, server.plain_url, server.url.replace("127.0.0.1", "localhost")):
        with pytest.raises(requests.RequestException):
            session.get(f"{url}/x", headers={"Authorization": "Bearer s3cret"})
    assert session.get(f"{server.url}/x").status_code == 200
    assert other.requests == []
    assert len(server.requests) == 1


def test_the_number_and_size_of_cookies_of_a_session_are_limited(server: AnyServer, session: ServerSession) -> None:
    numbers = iter(range(1000))

    def answer(request: Request) -> Response:
        cookies = [("Set-Cookie", f"c{next(numbers)}=x; Path=/") for _ in range(30)]
        return Response(
            200, headers=(*cookies, ("Set-Cookie", "long=" + "x" * 5000), ("Set-Cookie", "c1=again; Path=/"))
        )

    server.answers("", answer)
    for _ in range(3):
        session.get(f"{server.url}/x")
    assert len(session.cookies) == MAX_COOKIES
    assert "long" not in session.cookies
    assert session.cookies["c1"] == "again"
