"""A test of a connection, step by step, over real sockets and over the fake mailbox: the first step that fails is told."""

import socket
import threading
from contextlib import closing

import pytest

from integrations import errors
from integrations.diagnosis import mailbox_steps
from integrations.exchange.connection import ConnectionSettings
from integrations.network.steps import network_steps
from tests.contract.certificates import Authority
from tests.fakes.exchange import FakeMailbox, FakeSource
from tests.mails import mail

ADDRESS = "desk@bank.example"


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def listener():
    """A port of ours, and a way to say what to do with who connects."""
    server = socket.create_server(("127.0.0.1", 0))
    threads = []

    def serve(handle):
        def loop():
            while True:
                try:
                    handle(server.accept()[0])
                except OSError:
                    if server.fileno() < 0:
                        return

        threads.append(threading.Thread(target=loop, daemon=True))
        threads[-1].start()
        return server.getsockname()[1]

    yield serve
    server.close()


def outcome(url, **settings):
    steps = network_steps(ConnectionSettings("1", url, "ntlm", "impersonation", deadline=5.0, **settings))
    return [(step.name, step.ok, step.text) for step in steps]


def secured(authority, host="127.0.0.1"):
    context = authority.server_context(host)

    def handle(plain):
        with closing(context.wrap_socket(plain, server_side=True)):
            pass

    return handle


def test_a_server_that_is_there_and_trusted_passes_every_step(authority, listener):
    port = listener(secured(authority))
    steps = outcome(f"https://127.0.0.1:{port}/EWS", ca_bundle=authority.file.read_text())
    assert [(name, ok) for name, ok, _ in steps] == [("Name", True), ("Port", True), ("TLS", True)]
    assert "TLSv1" in steps[-1][2]


def test_a_name_that_nobody_knows_fails_at_the_name():
    (step,) = outcome("https://nowhere.invalid/EWS")
    assert step[:2] == ("Name", False)
    assert "nowhere.invalid" in step[2]


def test_a_closed_port_fails_at_the_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert outcome(f"https://127.0.0.1:{port}/EWS")[-1][:2] == ("Port", False)


def test_an_unknown_authority_and_a_wrong_name_fail_at_tls_by_their_own_error(authority, listener):
    port = listener(secured(authority, host="other.example"))
    for settings in ({}, {"ca_bundle": authority.file.read_text()}):
        name, ok, text = outcome(f"https://127.0.0.1:{port}/EWS", **settings)[-1]
        assert (name, ok) == ("TLS", False)
        assert errors.CertificateUntrusted.text in text


def test_a_server_that_speaks_no_tls_fails_at_tls(listener):
    port = listener(lambda plain: (plain.recv(1024), plain.sendall(b"HTTP/1.1 400 no\r\n\r\n"), plain.close()))
    assert outcome(f"https://127.0.0.1:{port}/EWS")[-1][:2] == ("TLS", False)


def test_behind_a_proxy_only_the_proxy_could_tell():
    assert outcome("https://nowhere.invalid/EWS", proxy="http://127.0.0.1:1") == []


@pytest.fixture
def mailbox():
    made = FakeMailbox(ADDRESS)
    made.deliver(mail("a"))
    return made


def walked(mailbox):
    return [(step.name, step.ok) for step in mailbox_steps(FakeSource(mailbox), ADDRESS)]


def test_a_mailbox_that_can_be_read_is_read_down_to_one_email(mailbox):
    assert walked(mailbox) == [("Sign in", True), ("Mailbox", True), ("Folders", True), ("One email", True)]


@pytest.mark.parametrize(
    ("method", "error", "steps"),
    [
        ("check", errors.SignInRefused(), [("Sign in", False)]),
        ("check", errors.AccessDenied(), [("Sign in", True), ("Mailbox", False)]),
        ("folders", errors.AccessDenied(), [("Sign in", True), ("Mailbox", True), ("Folders", False)]),
    ],
)
def test_the_first_step_that_fails_is_the_last_one(mailbox, method, error, steps):
    mailbox.fail(method, error)
    assert walked(mailbox) == steps


def test_an_empty_mailbox_has_nothing_to_read_and_that_is_fine():
    assert walked(FakeMailbox(ADDRESS))[-1] == ("One email", True)
