"""The sink of Re:infer over HTTP: its requests, its time limits, and its errors for invalid answers."""

from __future__ import annotations

import json
import logging
import signal
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from integrations import errors
from integrations.reinfer.channel import usual_trust
from integrations.reinfer.sink import ReinferSink
from simulators.http import Delivery, HttpServer, Request, Response
from tests.contract.certificates import Authority
from tests.integrations.reinfer.comments import comment

TOKEN = "t0ken-that-nobody-may-read"
OK = Response(body=b'{"status": "ok", "new": 1}')


@dataclass
class Peer:
    """The handler of a web server. A test sets `answer`; `requests` records the requests."""

    answer: Callable[[Request], Response] = lambda request: OK
    requests: list[Request] = field(default_factory=list)

    def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        return self.answer(request)


@pytest.fixture
def peer() -> Peer:
    return Peer()


@pytest.fixture
def url(peer: Peer) -> Iterator[str]:
    with HttpServer(peer) as server:
        yield server.url


def sink_at(url: str, *, deadline: float = 5.0, **options: object) -> ReinferSink:
    return ReinferSink(url, TOKEN, "acme", "mail", deadline=deadline, **options)  # type: ignore[arg-type]


def fault_of(sink: ReinferSink, work: Callable[[ReinferSink], object]) -> errors.IntegrationError:
    with sink, pytest.raises(errors.IntegrationError) as caught:
        work(sink)
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    return caught.value


def push(sink: ReinferSink) -> object:
    return sink.push([comment()])


def test_a_push_is_plain_json_with_the_token_and_the_user_agent(peer: Peer, url: str) -> None:
    with sink_at(f"{url}/org/tenant/reinfer_/", user_agent="exchange-integration/7") as sink:
        sink.push([comment()])
    (request,) = peer.requests
    assert (request.method, request.path) == ("POST", "/org/tenant/reinfer_/api/v1/sources/acme/mail/sync")
    assert dict(request.query) == {}
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Content-Encoding"] is None
    assert request.headers["Accept-Encoding"] == "gzip"
    assert request.headers["User-Agent"] == "exchange-integration/7"
    assert [item["id"] for item in json.loads(request.body)["comments"]] == [comment().id]


def test_one_connection_serves_many_pushes(peer: Peer, url: str) -> None:
    with sink_at(url) as sink:
        for _ in range(3):
            sink.push([comment()])
    assert len({request.connection.number for request in peer.requests}) == 1


def test_an_empty_push_sends_no_request(peer: Peer, url: str) -> None:
    with sink_at(url) as sink:
        assert sink.push([]).rejections == ()
    assert peer.requests == []


def test_an_unused_sink_opens_and_closes_without_a_connection(url: str, peer: Peer) -> None:
    sink_at(url).close()
    assert peer.requests == []


def test_a_closed_sink_may_be_closed_again(url: str) -> None:
    sink = sink_at(url)
    sink.push([comment()])
    sink.close()
    sink.close()


def test_the_token_is_in_no_error_repr_or_log(peer: Peer, url: str, caplog: pytest.LogCaptureFixture) -> None:
    peer.answer = lambda request: Response(
        404, json.dumps({"status": "error", "message": f"no luck with {request.headers['Authorization']}"}).encode()
    )
    sink = sink_at(url)
    with caplog.at_level(logging.DEBUG, logger="integrations"):
        fault = fault_of(sink, ReinferSink.check)
    assert TOKEN not in f"{sink!r} {fault} {fault!r} {fault.detail} {caplog.text}"
    assert "no luck with Bearer [token]" in str(fault)


@pytest.mark.parametrize("token", ["", "  ", "two words", "line\nbreak", "ümlaut", "nul\x00"])
def test_a_token_that_cannot_be_sent_is_refused_at_once(url: str, token: str) -> None:
    with pytest.raises(errors.ReinferTokenRefused):
        ReinferSink(url, token, "acme", "mail")


def test_a_bucket_name_with_a_slash_is_refused_at_once(url: str) -> None:
    with pytest.raises(errors.BucketNameWrong, match="must not contain a slash"):
        ReinferSink(url, TOKEN, "acme", "team/mail")


# ---- time -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "delivery", [Delivery(hang=60), Delivery(drip=40)], ids=["no answer", "a body that trickles in"]
)
def test_the_deadline_applies_to_the_whole_request(peer: Peer, url: str, delivery: Delivery) -> None:
    peer.answer = lambda request: Response(body=b'{"status": "ok"}' + b" " * 10_000, delivery=delivery, compress=False)
    started = time.monotonic()
    fault = fault_of(sink_at(url, deadline=0.5), push)
    assert type(fault) is errors.ReinferTimedOut
    assert fault.may_be_item
    assert 0.4 < time.monotonic() - started < 30  # the answer itself would take 60 seconds or more


def test_a_server_that_sends_no_headers_is_aborted_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # The test never accepts the connection. The kernel completes it and receives the request, and no answer follows.
        fault = fault_of(sink_at(f"http://127.0.0.1:{listener.getsockname()[1]}", deadline=0.3), push)
    assert type(fault) is errors.ReinferTimedOut


def test_the_deadline_applies_to_all_requests_of_a_push_together(peer: Peer, url: str) -> None:
    paths: list[str] = []

    def slow(request: Request) -> Response:
        paths.append(request.path)
        return Response(body=OK.body, delivery=Delivery(hang=0.2))

    peer.answer = slow
    fault = fault_of(
        sink_at(url, deadline=0.5, batch_count=1), lambda sink: sink.push([comment(str(n)) for n in range(9)])
    )
    assert type(fault) is errors.ReinferTimedOut
    assert len(paths) <= 3  # the push needs nine requests, and each takes 0.2 seconds


def test_a_sink_works_after_a_timeout(peer: Peer, url: str) -> None:
    peer.answer = lambda request: Response(body=OK.body, delivery=Delivery(hang=60))
    with sink_at(url, deadline=0.3) as sink:
        with pytest.raises(errors.ReinferTimedOut):
            sink.push([comment()])
        peer.answer = lambda request: OK
        assert sink.push([comment()]).created == 1


def test_a_push_that_a_signal_interrupted_does_not_continue_later(peer: Peer, url: str) -> None:
    class Interrupted(Exception):
        pass

    def interrupt(*_: object) -> None:
        raise Interrupted

    peer.answer = lambda request: Response(body=OK.body, delivery=Delivery(hang=0.3))
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with sink_at(url, batch_count=1) as sink:
            signal.setitimer(signal.ITIMER_REAL, 0.15)
            with pytest.raises(Interrupted):
                sink.push([comment("1"), comment("2")])
            sink.push([comment("3")])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    sent = [json.loads(request.body)["comments"][0]["id"] for request in peer.requests]
    assert sent == [comment("1").id, comment("3").id]


# ---- the network ----------------------------------------------------------------------------------------------------


def test_a_closed_port_cannot_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    fault = fault_of(sink_at(f"http://127.0.0.1:{port}"), push)
    assert type(fault) is errors.ReinferUnreachable
    assert not fault.may_be_item


@pytest.mark.parametrize("host", ["256.1.1.1", "xn--/", "xn--ls8h=.la"])
def test_a_host_that_cannot_exist_is_a_wrong_endpoint(host: str) -> None:
    assert type(fault_of(sink_at(f"http://{host}"), push)) is errors.ReinferEndpointWrong


def test_a_proxy_that_the_environment_names_is_used(peer: Peer, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", url)
    with sink_at("http://reinfer.example/x") as sink:
        sink.push([comment()])
    assert [request.path for request in peer.requests] == ["http://reinfer.example/x/api/v1/sources/acme/mail/sync"]


@pytest.mark.parametrize("dropped", [0, 5])
def test_a_lost_connection_may_be_the_fault_of_an_email(peer: Peer, url: str, dropped: int) -> None:
    peer.answer = lambda request: Response(body=OK.body, delivery=Delivery(drop_after=dropped))
    fault = fault_of(sink_at(url), push)
    assert type(fault) is errors.ReinferFailed
    assert fault.may_be_item


def test_an_unknown_authority_is_distinguished_from_an_unreachable_server(peer: Peer, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with HttpServer(peer, tls=authority.server_context("127.0.0.1")) as server:
        fault = fault_of(sink_at(server.url), push)
        assert type(fault) is errors.ReinferCertificateUntrusted
        assert fault.scope is errors.Scope.DESTINATION
        with sink_at(server.url, tls=authority.client_context()) as sink:
            assert sink.push([comment()]).created == 1


def test_the_authority_in_ssl_cert_file_is_trusted(peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    usual_trust.cache_clear()
    try:
        with HttpServer(peer, tls=authority.server_context("127.0.0.1")) as server, sink_at(server.url) as sink:
            assert sink.push([comment()]).created == 1
    finally:
        usual_trust.cache_clear()


def test_a_certificate_for_another_name_is_not_trusted(peer: Peer, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with HttpServer(peer, tls=authority.server_context("reinfer.example")) as server:
        fault = fault_of(sink_at(server.url, tls=authority.client_context()), push)
    assert type(fault) is errors.ReinferCertificateUntrusted
    assert "127.0.0.1" in fault.detail


def test_https_to_an_http_port_is_reported(url: str) -> None:
    fault = fault_of(sink_at(url.replace("http:", "https:")), push)
    assert type(fault) is errors.ReinferUnreachable
    assert "TLS" in fault.detail


def test_a_tls_version_that_is_too_old_is_reported(peer: Peer, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    old = authority.server_context("127.0.0.1")
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    strict = authority.client_context()
    strict.minimum_version = ssl.TLSVersion.TLSv1_3
    with HttpServer(peer, tls=old) as server:
        fault = fault_of(sink_at(server.url, tls=strict), push)
    assert type(fault) is errors.ReinferUnreachable
    assert "TLS" in fault.detail


# ---- invalid answers ------------------------------------------------------------------------------------------------


def test_a_redirect_is_not_followed(peer: Peer, url: str) -> None:
    peer.answer = lambda request: Response(307, headers=(("Location", f"{url}/elsewhere"),))
    assert type(fault_of(sink_at(url), push)) is errors.ReinferUnintelligible
    assert len(peer.requests) == 1


def test_the_body_of_a_gateway_error_is_not_in_the_error(peer: Peer, url: str) -> None:
    page = b"<html><title>502 Bad Gateway</title>upstream-17.internal</html>"
    peer.answer = lambda request: Response(502, page, "text/html", (("Retry-After", "3"),))
    fault = fault_of(sink_at(url), push)
    assert type(fault) is errors.ReinferFailed
    assert fault.detail == "HTTP 502"
    assert fault.retry_after is not None
    assert fault.retry_after.total_seconds() == 3


def test_a_compressed_answer_is_read(peer: Peer, url: str) -> None:
    peer.answer = lambda request: Response(body=OK.body + b" " * 5000, compress=True)
    with sink_at(url) as sink:
        assert sink.push([comment()]).created == 1


def test_an_answer_that_is_too_large_is_unintelligible(peer: Peer, url: str) -> None:
    peer.answer = lambda request: Response(body=OK.body + b" " * 40_000_000)
    fault = fault_of(sink_at(url, deadline=20), push)
    assert type(fault) is errors.ReinferUnintelligible


def test_an_uncompressed_answer_with_gzip_encoding_is_unintelligible(peer: Peer, url: str) -> None:
    peer.answer = lambda request: Response(body=b"plainly not", headers=(("Content-Encoding", "gzip"),), compress=False)
    assert type(fault_of(sink_at(url), push)) is errors.ReinferUnintelligible


def test_an_answer_that_is_not_http_is_unintelligible() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(100_000)
                connection.sendall(b"220 mail.example ESMTP ready\r\n\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        fault = fault_of(sink_at(f"http://127.0.0.1:{listener.getsockname()[1]}"), push)
        thread.join()
    assert type(fault) is errors.ReinferUnintelligible


@pytest.mark.parametrize("kind", [errors.ReinferFailed, errors.ReinferForbidden, errors.ReinferRefused])
def test_the_message_of_the_server_about_a_push_is_not_in_the_error(
    peer: Peer, url: str, kind: type[errors.IntegrationError]
) -> None:
    status = {errors.ReinferFailed: 500, errors.ReinferForbidden: 403, errors.ReinferRefused: 405}[kind]
    body = json.dumps({"status": "error", "message": "cannot store 'Please pay the invoice.'"}).encode()
    peer.answer = lambda request: Response(status, body)
    fault = fault_of(sink_at(url), push)
    assert type(fault) is kind
    assert fault.detail == f"HTTP {status}"


# ---- stored comments ------------------------------------------------------------------------------------------------


def test_another_comment_than_the_requested_one_is_unintelligible(peer: Peer, url: str) -> None:
    stored = {"id": "3c61", "timestamp": "2026-03-01T00:00:00Z"}
    peer.answer = lambda request: Response(body=json.dumps({"status": "ok", "comment": stored}).encode())
    fault = fault_of(sink_at(url), lambda sink: sink.stored([comment().id]))
    assert type(fault) is errors.ReinferUnintelligible


@pytest.mark.parametrize("body", [b'{"status": "ok"}', b'{"status": "ok", "comment": null}'])
def test_a_missing_comment_in_a_success_is_unintelligible(peer: Peer, url: str, body: bytes) -> None:
    peer.answer = lambda request: Response(body=body)
    assert type(fault_of(sink_at(url), lambda sink: sink.stored([comment().id]))) is errors.ReinferUnintelligible


def test_one_failed_request_ends_the_others(peer: Peer, url: str) -> None:
    bad = comment("3").id
    peer.answer = lambda request: (
        Response(500) if request.path.endswith(bad) else Response(body=OK.body, delivery=Delivery(hang=60))
    )
    started = time.monotonic()
    fault = fault_of(sink_at(url), lambda sink: sink.stored([comment(str(n)).id for n in range(8)]))
    assert type(fault) is errors.ReinferFailed
    assert time.monotonic() - started < 30  # the other answers would take 60 seconds


def test_a_bucket_whose_comments_cannot_be_read_is_not_empty(peer: Peer, url: str) -> None:
    empty = b'{"status": "ok", "statistics": {"num_comments": 0}}'
    hidden = b'{"status": "error", "message": "private"}'
    peer.answer = lambda request: Response(body=empty) if request.method == "POST" else Response(403, hidden)
    with sink_at(url) as sink:
        assert not sink.is_empty()


def test_an_outdated_count_does_not_make_a_bucket_empty(peer: Peer, url: str) -> None:
    count = b'{"status": "ok", "statistics": {"num_comments": 0.0}}'
    page = b'{"status": "ok", "comments": [{"id": "3c61"}]}'
    peer.answer = lambda request: Response(body=count if request.method == "POST" else page)
    with sink_at(url) as sink:
        assert not sink.is_empty()
        page = b'{"status": "ok", "comments": []}'
        assert sink.is_empty()


def test_creating_a_bucket_succeeds_if_another_process_created_it_meanwhile(peer: Peer, url: str) -> None:
    answers = {"PUT": [(409, b'{"status": "error", "message": "exists"}')], "GET": [(404, b'{"status": "error"}')]}

    def answer(request: Request) -> Response:
        remaining = answers[request.method]
        return Response(*remaining.pop(0)) if remaining else OK

    peer.answer = answer
    with sink_at(url) as sink:
        sink.create()
    assert [request.method for request in peer.requests] == ["GET", "PUT", "GET"]


def test_a_missing_project_is_reported_when_a_bucket_is_created(peer: Peer, url: str) -> None:
    peer.answer = lambda request: Response(404, b'{"status": "error", "message": "no such thing"}')
    assert type(fault_of(sink_at(url), ReinferSink.create)) is errors.ProjectNotFound
