"""For a mailbox on an older server, requests use an EWS version that this older server accepts."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from integrations import errors
from integrations.ews.connection import connection
from integrations.ews.source import ExchangeSource
from integrations.ews.versions import API_VERSIONS, Versions, WorkingVersion, versions_to_try
from integrations.messages import Email, FolderKind
from integrations.ports import Learner
from simulators.exchange import Store, soap
from simulators.exchange import servers as simulated
from simulators.exchange.store import Mailbox
from simulators.http import Request, Response
from tests.contract.source_rigs import ADDRESSES
from tests.integrations.ews.conftest import World
from tests.integrations.ews.peers import ADDRESS, XML, answers_of, peer

WAYS = ("NTLM, impersonation", "Basic, delegate")
EXCHANGE_2010 = "14.3.513.0"


@pytest.fixture
def other_mailbox(world: World) -> Mailbox:
    """Another mailbox of the same connection, on the server of the connection."""
    return world.exchange.store.add(ADDRESSES[-1])


def requested_versions(world: World) -> list[str]:
    matches = (re.search(rb'RequestServerVersion Version="(\w+)"', request.body) for request, _ in world.wire.seen)
    return [match[1].decode() for match in matches if match]


@pytest.mark.parametrize("way", WAYS)
def test_a_mailbox_on_an_older_server_is_read_in_the_version_of_that_server(world: World, way: str) -> None:
    world.mailbox.server = EXCHANGE_2010
    world.deliver("a")
    source = world.source(world.settings(way))
    source.check()
    folders = source.folders(None)
    (change,) = world.listed(source)
    (email,) = source.fetch([change])
    assert isinstance(email, Email)
    assert any(folder.kind is FolderKind.DRAFTS for folder in folders.changed)
    world.forget()
    source.check()
    assert requested_versions(world) == ["Exchange2010_SP2"]


def test_another_mailbox_is_read_in_the_version_of_the_connection(world: World, other_mailbox: Mailbox) -> None:
    world.mailbox.server = EXCHANGE_2010
    world.source().check()
    world.forget()
    ExchangeSource(world.settings(), other_mailbox.address).check()
    assert requested_versions(world) == ["Exchange2016"]


def test_the_next_source_of_the_process_starts_with_the_version_that_worked(world: World) -> None:
    world.mailbox.server = EXCHANGE_2010
    world.source().check()
    world.forget()
    world.source().check()
    assert requested_versions(world) == ["Exchange2010_SP2"]


def test_another_process_starts_with_the_version_that_the_first_process_learned(world: World) -> None:
    world.mailbox.server = EXCHANGE_2010
    first = world.source()
    first.check()
    assert isinstance(first, Learner)
    second = world.source(replace(world.settings(), key="of another process"))
    assert second.learned == ""
    second.learned = first.learned
    world.forget()
    second.check()
    assert set(requested_versions(world)) == {"Exchange2010_SP2"}


def test_a_mailbox_that_moves_to_a_newer_server_is_read_in_a_newer_version_again(world: World) -> None:
    world.mailbox.server = EXCHANGE_2010
    source = world.source()
    source.check()
    assert source.learned == "Exchange2010_SP2 14.3"
    world.mailbox.server = ""
    source.check()
    assert source.learned == ""
    world.forget()
    world.source().check()
    assert requested_versions(world) == ["Exchange2016"]


def test_a_version_that_worked_is_kept_although_the_front_end_names_another(world: World) -> None:
    """The stock classes of exchangelib would use the named version, which the server refuses in each request."""
    original = answers_of(_one_mailbox())

    def answer(request: Request) -> Response:
        if soap.parse(request.body).version > "Exchange2010_SP2":
            return Response(500, soap.fault(soap.SoapFault("ErrorInvalidServerVersion", "No.")), XML)
        response = original(request)
        return replace(response, body=response.body.replace(b'Version="V2017_07_11"', b'Version="Exchange2016"'))

    with peer(answer) as peer_server:
        source = ExchangeSource(peer_server.settings, ADDRESS)
        source.check()
        before = len(peer_server.requests)
        source.check()
        source.folders(None)
        assert len(peer_server.requests) - before == 3


@pytest.mark.parametrize(
    ("code", "form"),
    [
        ("ErrorInvalidServerVersion", "fault"),
        ("ErrorIncorrectSchemaVersion", "fault"),
        ("ErrorInvalidSchemaVersionForMailboxVersion", "fault"),
        ("ErrorInvalidSchemaVersionForMailboxVersionException", "fault"),
        ("ErrorInvalidSchemaVersionForMailboxVersion", "message"),
        ("ErrorInvalidSchemaVersionForMailboxVersion", "inner"),
        ("ErrorInvalidSchemaVersionForMailboxVersion", "no XML"),
    ],
)
def test_each_form_of_a_refused_version_is_recognised(code: str, form: str) -> None:
    original = answers_of(_one_mailbox())
    message = soap.envelope("GetFolder", soap.failure("GetFolder", soap.ItemFault(code)), "15.1.2507.39")
    refusal = {
        "fault": Response(500, soap.fault(soap.SoapFault(code, "No.")), XML),
        "message": Response(200, message, XML),
        "inner": Response(500, soap.fault(soap.SoapFault("ErrorInternalServerError", "", back_off=1, inner=code)), XML),
        "no XML": Response(500, b"The specified server version is invalid.", "text/plain"),
    }[form]

    def answer(request: Request) -> Response:
        return refusal if soap.parse(request.body).version > "Exchange2013" else original(request)

    with peer(answer) as peer_server:
        source = ExchangeSource(peer_server.settings, ADDRESS)
        source.check()
        assert source.learned.startswith("Exchange2013 ")


def test_a_mailbox_that_accepts_no_version_fails_alone_and_no_version_is_stored(
    world: World, other_mailbox: Mailbox
) -> None:
    world.exchange.faults.add("fault", code="ErrorInvalidServerVersion", mailbox=world.mailbox.address)
    source = world.source()
    for _ in range(2):
        world.forget()
        with pytest.raises(errors.VersionRefused) as caught:
            source.check()
        assert len(world.operations()) == len(API_VERSIONS)
    assert caught.value.evidence is errors.Evidence.RESPONSE
    assert caught.value.detail == "ErrorInvalidServerVersion"
    assert source.learned == ""
    ExchangeSource(world.settings(), other_mailbox.address).check()


def test_an_invalid_request_is_not_sent_again_in_other_versions(world: World) -> None:
    world.exchange.faults.add("fault", code="ErrorInvalidRequest")
    with pytest.raises(errors.RequestRejected):
        world.source().check()
    assert len(world.operations()) == 1


def test_the_build_version_of_the_connection_stays_what_the_admin_entered(world: World) -> None:
    world.mailbox.server = EXCHANGE_2010
    world.source().check()
    assert connection(world.settings()).version.api_version == "Exchange2016"


# ---- values -------------------------------------------------------------------------------------------------------


def test_older_versions_are_tried_first() -> None:
    assert versions_to_try("Exchange2010_SP1") == [
        "Exchange2010_SP1", "Exchange2010", "Exchange2007_SP1", "Exchange2007", "Exchange2010_SP2", "Exchange2013",
        "Exchange2013_SP1", "Exchange2015", "Exchange2015_SP1", "Exchange2016",
    ]  # fmt: skip
    assert tuple(API_VERSIONS) == simulated.VERSIONS


@pytest.mark.parametrize("stored", ["", "Exchange2010_SP2", "Exchange2010_SP2 14.3", "Exchange2016 15.20"])
def test_a_stored_version_is_read(stored: str) -> None:
    assert str(WorkingVersion.read(stored) or "") == stored


@pytest.mark.parametrize("stored", ["Exchange2030 15.1", "nonsense", "Exchange2016 15.1 more", " "])
def test_an_invalid_stored_version_is_none(stored: str) -> None:
    assert WorkingVersion.read(stored) is None


def test_the_number_of_remembered_mailboxes_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.ews.versions.MAX_REMEMBERED", 2)
    versions = Versions()
    for name in "abc":
        versions.set(name, WorkingVersion("Exchange2013", "15.0"))
    assert [versions.get(name) is not None for name in "abc"] == [False, True, True]


def _one_mailbox() -> Store:
    return Store([ADDRESS])
