"""A notification is not sent to a private network unless `allow_private` is set, and a request ends at its time limit."""

from __future__ import annotations

import http.server
import socket
import threading
import time

import pytest

from notifications.sending import NotSent, is_public, problem_with, send


@pytest.fixture
def server():
    """The URL of an HTTP server, and a list of the requests that it received."""
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append((self.path, self.headers["Host"], self.headers["X-Signature"], body))
            if self.path == "/slow":
                time.sleep(3)
            self.send_response(302 if self.path == "/moved" else 500 if self.path == "/broken" else 204)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_):
            pass

    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield f"http://localhost:{made.server_address[1]}", seen
    made.shutdown()
    made.server_close()


def test_a_request_arrives_with_its_headers_and_the_host_name(server):
    url, seen = server
    send(f"{url}/in?x=1", b"{}", {"X-Signature": "t=1,v1=ab"}, allow_private=True)
    assert seen == [("/in?x=1", url.removeprefix("http://"), "t=1,v1=ab", b"{}")]


@pytest.mark.parametrize(("path", "says"), [("/moved", "HTTP 302"), ("/broken", "HTTP 500")])
def test_neither_a_redirect_nor_an_error_counts_as_success(server, path, says):
    url, seen = server
    with pytest.raises(NotSent, match=says):
        send(url + path, b"{}", {}, allow_private=True)
    assert len(seen) == 1


@pytest.mark.wording
def test_a_webhook_that_does_not_respond_is_a_failure_after_the_time_limit(server):
    url, _ = server
    with pytest.raises(NotSent, match="no response"):
        send(f"{url}/slow", b"{}", {}, allow_private=True, seconds=0.5)


@pytest.mark.wording
@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1/", "https://localhost/", "https://[::1]/", "https://169.254.169.254/", "https://0x7f000001/"],
)
def test_addresses_of_private_networks_are_rejected(url):
    with pytest.raises(NotSent, match=r"private network|no address"):
        send(url, b"{}", {})


@pytest.mark.parametrize("url", ["http://example.com/", "ftp://example.com/", "https:///", "file:///etc/passwd", ""])
def test_a_url_without_https_or_without_a_host_is_rejected(url):
    with pytest.raises(NotSent):
        send(url, b"{}", {})


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("10.0.0.1", False),
        ("100.64.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("224.0.0.1", False),
        ("::ffff:127.0.0.1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("2002:7f00:1::", False),
        ("64:ff9b::7f00:1", False),
        ("nonsense", False),
    ],
)
def test_private_and_special_addresses_are_not_public(address, public):
    assert is_public(address) is public


@pytest.fixture
def names(monkeypatch):
    """A mapping from host name to the results of its resolutions, in order. The last result is repeated.

    Other host names are resolved as usual.
    """
    known: dict[str, list[list[str]]] = {}
    resolve = socket.getaddrinfo

    def resolved(host, *given, **more):
        name = host.decode() if isinstance(host, bytes) else host
        if name not in known:
            return resolve(host, *given, **more)
        answers = known[name]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        if not addresses:
            raise socket.gaierror(name)
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, given[0] if given else 0)) for address in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    return known


@pytest.mark.wording
def test_a_host_name_that_later_resolves_to_a_private_network_is_rejected_then(names, server):
    _, seen = server
    names["hooks.example"] = [["93.184.216.34"], ["127.0.0.1"]]
    assert problem_with("https://hooks.example/") == ""
    with pytest.raises(NotSent, match="private network"):
        send("https://hooks.example/", b"{}", {})
    assert seen == []


@pytest.mark.wording
def test_a_host_name_with_one_public_and_one_private_address_is_rejected(names):
    names["hooks.example"] = [["93.184.216.34", "10.0.0.1"]]
    assert "private network" in problem_with("https://hooks.example/")
    with pytest.raises(NotSent, match="private network"):
        send("https://hooks.example/", b"{}", {})


def test_a_host_name_is_resolved_once_and_the_checked_address_is_used(names, server):
    url, seen = server
    # A second resolution would fail.
    names["hooks.example"] = [["127.0.0.1"], []]
    send(url.replace("localhost", "hooks.example"), b"{}", {}, allow_private=True)
    assert seen[0][1].startswith("hooks.example:")


def test_a_host_name_that_cannot_be_resolved_at_the_moment_is_accepted(names):
    names["hooks.example"] = [[]]
    assert problem_with("https://hooks.example/") == ""


def test_a_redirect_is_not_followed(server):
    url, seen = server
    with pytest.raises(NotSent, match="HTTP 302"):
        send(f"{url}/moved", b"{}", {}, allow_private=True)
    assert [path for path, *_ in seen] == ["/moved"]
