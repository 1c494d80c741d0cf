"""The steps of a connection test. The first step that fails is the last one.

The tests use real sockets, a fake mailbox and a simulated Graph.
"""

import socket
import threading
from contextlib import closing

import pytest

from integrations import connect, errors
from integrations.connect import open_source
from integrations.diagnosis import mailbox_steps
from integrations.ews.connection import ConnectionSettings
from integrations.graph.connection import close_all
from integrations.models import Integration
from integrations.network.steps import network_steps
from simulators.exchange import Store, mail_of
from simulators.graph import GraphSimulator, Registration
from tests.contract.certificates import Authority
from tests.fakes.exchange import FakeMailbox, FakeSource
from tests.mails import mail

ADDRESS = "desk@bank.example"


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def listener():
    """Return a function that passes each accepted connection to a handler in the background, and returns the port."""
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


def test_a_reachable_and_trusted_server_passes_every_step(authority, listener):
    port = listener(secured(authority))
    steps = outcome(f"https://127.0.0.1:{port}/EWS", ca_bundle=authority.file.read_text())
    assert [(name, ok) for name, ok, _ in steps] == [("Name", True), ("Port", True), ("TLS", True)]
    assert "TLSv1" in steps[-1][2]


def test_an_unknown_name_fails_at_the_name():
    (step,) = outcome("https://nowhere.invalid/EWS")
    assert step[:2] == ("Name", False)
    assert "nowhere.invalid" in step[2]


def test_a_closed_port_fails_at_the_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert outcome(f"https://127.0.0.1:{port}/EWS")[-1][:2] == ("Port", False)


def test_an_unknown_authority_and_a_wrong_name_fail_at_tls(authority, listener):
    port = listener(secured(authority, host="other.example"))
    for settings in ({}, {"ca_bundle": authority.file.read_text()}):
        name, ok, text = outcome(f"https://127.0.0.1:{port}/EWS", **settings)[-1]
        assert (name, ok) == ("TLS", False)
        assert errors.CertificateUntrusted.text in text


def test_a_server_without_tls_fails_at_tls(listener):
    port = listener(lambda plain: (plain.recv(1024), plain.sendall(b"HTTP/1.1 400 no\r\n\r\n"), plain.close()))
    assert outcome(f"https://127.0.0.1:{port}/EWS")[-1][:2] == ("TLS", False)


def test_behind_a_proxy_no_network_step_is_tested():
    assert outcome("https://nowhere.invalid/EWS", proxy="http://127.0.0.1:1") == []


@pytest.fixture
def mailbox():
    made = FakeMailbox(ADDRESS)
    made.deliver(mail("a"))
    return made


def outcomes(mailbox):
    return [(step.name, step.ok) for step in mailbox_steps(FakeSource(mailbox), ADDRESS)]


def test_a_readable_mailbox_is_tested_including_one_email(mailbox):
    assert outcomes(mailbox) == [("Sign in", True), ("Mailbox", True), ("Folders", True), ("One email", True)]


@pytest.mark.parametrize(
    ("method", "error", "steps"),
    [
        ("check", errors.SignInRefused(), [("Sign in", False)]),
        ("check", errors.AccessDenied(), [("Sign in", True), ("Mailbox", False)]),
        ("folders", errors.AccessDenied(), [("Sign in", True), ("Mailbox", True), ("Folders", False)]),
    ],
)
def test_no_step_follows_the_first_step_that_fails(mailbox, method, error, steps):
    mailbox.fail(method, error)
    assert outcomes(mailbox) == steps


def test_an_empty_mailbox_passes():
    assert outcomes(FakeMailbox(ADDRESS))[-1] == ("One email", True)


# ---- Microsoft Graph ----------------------------------------------------------------------------------------------


@pytest.fixture
def cloud():
    app = Registration("tenant", "client", "s3cret", mailboxes=frozenset({ADDRESS}))
    basic = Registration("tenant", "basic", "s3cret", permissions=frozenset({"Mail.ReadBasic"}))
    store = Store([ADDRESS, "board@bank.example"])
    store[ADDRESS].deliver(mail_of(mail("a")))
    with GraphSimulator(store, registrations=[app, basic]) as graph:
        yield graph
        close_all()


def graph_steps(graph, address=ADDRESS, **entered):
    known = {"client_id": "client", "client_secret": "s3cret", "tenant_id": "tenant", "authority": graph.authority_url}
    integration = Integration(
        microsoft_api="graph", endpoint=graph.url, auth="oauth2", ca_bundle=graph.ca, **(known | entered)
    )
    with open_source(integration, address, deadline=10) as source:
        steps = [*connect.network_steps(integration, deadline=5), *mailbox_steps(source, address)]
    return [(step.name, step.ok) for step in steps], steps[-1].text


def test_graph_is_tested_including_one_email(cloud):
    way = [("Name", True), ("Port", True), ("TLS", True)]
    steps, text = graph_steps(cloud)
    assert steps == [*way, ("Sign in", True), ("Mailbox", True), ("Folders", True), ("One email", True)]
    assert "bytes was read" in text


@pytest.mark.parametrize(
    ("entered", "address", "failed", "text"),
    [
        ({"client_secret": "wrong"}, ADDRESS, "Sign in", "7000215"),
        ({"tenant_id": "elsewhere"}, ADDRESS, "Sign in", "90002"),
        ({}, "board@bank.example", "Mailbox", "scope"),
        ({}, "nobody@bank.example", "Mailbox", "no mailbox"),
        ({"client_id": "basic"}, ADDRESS, "One email", "Mail.Read"),
    ],
)
def test_the_first_failed_step_of_graph_is_explained(cloud, entered, address, failed, text):
    steps, shown = graph_steps(cloud, address, **entered)
    assert steps[-1] == (failed, False)
    assert text in shown


def test_a_mailbox_with_a_forbidden_inbox_is_tested_with_another_folder():
    box = FakeMailbox(ADDRESS)
    box.create_folder("Claims", parent="Inbox")
    box.deliver(mail("claim"), "Claims")
    box.forbid_folder("Inbox")
    (*_, last) = mailbox_steps(FakeSource(box), ADDRESS)
    assert (last.name, last.ok) == ("One email", True)
    assert "was read" in last.text
    assert "The Inbox may not be read" in last.text


def test_a_mailbox_without_a_readable_folder_fails_the_test():
    box = FakeMailbox(ADDRESS)
    for entry in box.folders.values():
        entry.forbidden = True
    (*_, last) = mailbox_steps(FakeSource(box), ADDRESS)
    assert (last.name, last.ok, last.kind) == ("One email", False, errors.AccessDenied.kind)
