"""The web process as the image starts it, with clients that are slow, silent, or send too much.

The last tests test parts of the web process without a server.
"""

from __future__ import annotations

import http.client
import os
import secrets
import socket
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from cryptography.fernet import Fernet
from django.http import HttpRequest, HttpResponse

from access.body_limits import EVERYBODY
from config import request_limit
from config.web_worker import BODY_SECONDS, HEAD_SECONDS, LEAST_RATE, Deadlines, WholeBody
from demo import ports
from demo.processes import Child, Processes
from tests.faults.databases import Databases
from tests.faults.processes.member import session_of
from tests.image.container import becomes_true

EACH = 50
"""Number of misbehaving clients of each kind at the same time."""


@dataclass
class Web:
    port: int
    child: Child
    folder: Path
    """The folder for the temporary files of the process."""
    database: str

    def connect(self, sent: bytes = b"") -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        connection.sendall(sent)
        return connection

    def answers(self) -> bool:
        try:
            return self.get("/healthz")[0] == 200
        except OSError:
            return False

    def get(self, path: str) -> tuple[int, float]:
        """Return the status of a page, and the seconds until the response."""
        begun = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", path)
        status = connection.getresponse().status
        connection.close()
        return status, time.monotonic() - begun

    def connections(self) -> int:
        """Return the number of database connections of the process."""
        if self.database.startswith("postgres"):
            with psycopg.connect(self.database) as connection:
                query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                return int(connection.execute(query).fetchone()[0])
        opened = [fd for pid in session_of(self.child.process.pid) for fd in Path(f"/proc/{pid}/fd").iterdir()]
        return sum(os.path.realpath(fd) == self.database.removeprefix("sqlite:///") for fd in opened)


@pytest.fixture(scope="module")
def web(tmp_path_factory) -> Iterator[Web]:
    folder, temporary = tmp_path_factory.mktemp("web"), tmp_path_factory.mktemp("temporary")
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    environment = {
        **kept, "SECRET_KEY": secrets.token_hex(32), "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "DATA_DIR": str(folder), "TMPDIR": str(temporary), "LOG_LEVEL": "WARNING",
        # A home directory that cannot be created, not even by root.
        "HOME": "/proc/none",
    }  # fmt: skip
    environment.pop("XDG_RUNTIME_DIR", None)
    databases = Databases(folder, environment)
    environment["DATABASE_URL"] = databases.fresh()
    port = ports.free()
    with Processes(folder) as processes:
        child = processes.start(
            "web", [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"], environment
        )  # fmt: skip
        started = Web(port, child, temporary, environment["DATABASE_URL"])
        assert becomes_true(started.answers, 60), child.last_words()
        yield started
    databases.drop()


def post(path: str, length: int, *, headers: str = "", kind: str = "application/x-www-form-urlencoded") -> bytes:
    """Return the head of a POST request with a body of this length."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n"
    return f"{head}{headers}\r\n".encode()


def status_of(connection: socket.socket) -> int:
    """Return the status of the response; 0 if the connection is closed without one."""
    first = connection.makefile("rb").readline().split()
    return int(first[1]) if first else 0


@pytest.mark.long
@pytest.mark.slow
def test_a_web_process_whose_home_cannot_be_written_starts_without_warnings(web):
    log = web.child.log.read_text()
    assert "Listening at" in log
    assert not any(word in log for word in ("[WARNING]", "[ERROR]", "ontrol", "Traceback")), log


@pytest.mark.slow
def test_of_a_body_that_is_too_large_nothing_is_written_to_disk(web):
    """An unauthenticated client uploads a file. The server responds before it received the file, and stores no part of it."""
    before = set(web.folder.iterdir())
    start = b'--x\r\nContent-Disposition: form-data; name="file"; filename="x.eml"\r\n\r\n'
    head = post("/preview/", 1_000_000_000, kind="multipart/form-data; boundary=x")
    with web.connect(head + start) as connection:
        connection.sendall(b"x" * 3_000_000)
        assert status_of(connection) == 413
        assert set(web.folder.iterdir()) == before


@pytest.mark.slow
def test_chunks_are_counted_while_they_are_received(web):
    head = b"POST /login/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    with web.connect(head) as connection:
        for _ in range(3):
            connection.sendall(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
        assert status_of(connection) == 413
    with web.connect(head + b"5\r\nx=abc\r\n0\r\n\r\n") as connection:
        # The body was read as a form. The form has no CSRF token.
        assert status_of(connection) == 403


@pytest.mark.slow
def test_an_idle_web_process_keeps_no_connection_to_the_database(web):
    assert web.get("/healthz")[0] == 200
    assert becomes_true(lambda: not web.connections(), 5), "a database connection stays open"


@pytest.mark.slow
def test_an_incomplete_body_is_refused(web):
    with web.connect(post("/login/", 1000) + b"username=a&password=b") as connection:
        connection.shutdown(socket.SHUT_WR)
        assert status_of(connection) == 400
    assert "Traceback" not in web.child.log.read_text()


@pytest.mark.long
def test_the_health_page_answers_while_many_clients_are_silent_or_slow(web):
    """Fifty clients send nothing, fifty send their headers slowly, and fifty send their body slowly."""
    with ExitStack() as stack:
        silent = [stack.enter_context(web.connect()) for _ in range(EACH)]
        heads = [stack.enter_context(web.connect(b"GET / HTTP/1.1\r\nHost: loc")) for _ in range(EACH)]
        bodies = [stack.enter_context(web.connect(post("/login/", EVERYBODY) + b"username=")) for _ in range(EACH)]
        begun, slowest = time.monotonic(), 0.0
        while time.monotonic() < begun + 10:
            for connection in heads + bodies:
                connection.sendall(b"a")
            status, seconds = web.get("/healthz")
            assert status == 200
            slowest = max(slowest, seconds)
            assert web.get("/login/")[0] == 200
            time.sleep(0.2)
        assert slowest < 2, f"the slowest took {slowest:.1f} s"
        # The server closes all of these connections in time, although some of them sent data slowly.
        end = begun + 5 + max(HEAD_SECONDS, BODY_SECONDS + EVERYBODY / LEAST_RATE) + 10
        for connection in silent + heads + bodies:
            connection.settimeout(max(1.0, end - time.monotonic()))
            assert status_of(connection) in {0, 400}
    assert "Traceback" not in web.child.log.read_text()


def test_the_number_of_concurrent_requests_is_limited(monkeypatch):
    monkeypatch.setattr(request_limit, "AT_ONCE", 2)
    monkeypatch.setattr(request_limit, "PATIENCE", 0.2)
    begun, end = threading.Semaphore(0), threading.Event()

    def page(request):
        begun.release()
        end.wait(30)
        return HttpResponse("well")

    middleware = request_limit.RequestLimitMiddleware(page)
    with ThreadPoolExecutor(2) as pool:
        first = [pool.submit(middleware, HttpRequest()) for _ in range(2)]
        assert all(begun.acquire(timeout=10) for _ in range(2))
        refused = middleware(HttpRequest())
        assert (refused.status_code, refused["Retry-After"]) == (503, "30")
        end.set()
        assert [one.result().status_code for one in first] == [200, 200]
        assert middleware(HttpRequest()).status_code == 200


def test_the_body_is_read_before_a_request_counts_as_concurrent(settings):
    names = [name.rpartition(".")[2] for name in settings.MIDDLEWARE]
    order = [
        "ProbeMiddleware",
        "WhiteNoiseMiddleware",
        "SessionMiddleware",
        "BodyLimitMiddleware",
        "RequestLimitMiddleware",
    ]
    assert sorted([*order, "CsrfViewMiddleware"], key=names.index) == [*order, "CsrfViewMiddleware"]


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_only_a_connection_beyond_its_deadline_is_closed(pair):
    ours, theirs = pair
    deadlines = Deadlines()
    with deadlines.within(ours, 10.0):
        deadlines.cut(9.0)
        theirs.sendall(b"in time")
        assert ours.recv(100) == b"in time"
        deadlines.cut(11.0)
        assert ours.recv(100) == b""
    deadlines.cut(99.0)


class Pieces:
    """A body reader like that of gunicorn, for a body of 10 bytes."""

    def __init__(self, *pieces: bytes) -> None:
        self.length = 10
        self._pieces = list(pieces)

    def read(self, size: int) -> bytes:
        piece = self._pieces.pop(0) if self._pieces else b""
        self.length -= min(self.length, size)
        return piece


def test_only_a_body_that_ends_early_is_an_error(pair):
    whole = WholeBody(Pieces(b"12345", b"67890"), pair[0], Deadlines())
    assert (whole.read(5), whole.read(5), whole.read(5)) == (b"12345", b"67890", b"")
    broken = WholeBody(Pieces(b"12345", b""), pair[0], Deadlines())
    assert broken.read(5) == b"12345"
    with pytest.raises(ConnectionError):
        broken.read(5)
