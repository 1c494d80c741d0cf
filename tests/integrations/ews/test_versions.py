"""A mailbox on an older server than the one that answers for all of them is asked in the version that this server takes."""

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
def neighbour(world: World) -> Mailbox:
    """Another mailbox behind the same connection, on the server that answers."""
    return world.exchange.store.add(ADDRESSES[-1])


def versions_asked(world: World) -> list[str]:
    found = (re.search(rb'RequestServerVersion Version="(\w+)"', request.body) for request, _ in world.wire.seen)
    return [match[1].decode() for match in found if match]


@pytest.mark.parametrize("way", WAYS)
def test_a_mailbox_on_an_older_server_is_read_in_the_version_of_that_one(world: World, way: str) -> None:
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
    assert versions_asked(world) == ["Exchange2010_SP2"]


def test_its_neighbour_is_asked_in_the_version_of_the_connection(world: World, neighbour: Mailbox) -> None:
    world.mailbox.server = EXCHANGE_2010
    world.source().check()
    world.forget()
    ExchangeSource(world.settings(), neighbour.address).check()
    assert versions_asked(world) == ["Exchange2016"]


def test_the_next_source_of_the_process_begins_with_what_worked(world: World) -> None:
    world.mailbox.server = EXCHANGE_2010
    world.source().check()
    world.forget()
    world.source().check()
    assert versions_asked(world) == ["Exchange2010_SP2"]


def test_another_process_begins_with_what_it_is_told(world: World) -> None:
    world.mailbox.server = EXCHANGE_2010
    first = world.source()
    first.check()
    assert isinstance(first, Learner)
    second = world.source(replace(world.settings(), key="of another process"))
    assert second.learned == ""
    second.learned = first.learned
    world.forget()
    second.check()
    assert set(versions_asked(world)) == {"Exchange2010_SP2"}


def test_a_mailbox_that_moves_to_another_server_is_asked_in_a_newer_version_again(world: World) -> None:
    world.mailbox.server = EXCHANGE_2010
    source = world.source()
    source.check()
    assert source.learned == "Exchange2010_SP2 14.3"
    world.mailbox.server = ""
    source.check()
    assert source.learned == ""
    world.forget()
    world.source().check()
    assert versions_asked(world) == ["Exchange2016"]


def test_a_version_that_worked_is_kept_though_the_front_end_names_its_own(world: World) -> None:
    """exchangelib as it comes believes the name, and is refused again at every request."""
    usual = answers_of(_one_mailbox())

    def answer(request: Request) -> Response:
        if soap.parse(request.body).version > "Exchange2010_SP2":
            return Response(500, soap.fault(soap.SoapFault("ErrorInvalidServerVersion", "No.")), XML)
        response = usual(request)
        return replace(response, body=response.body.replace(b'Version="V2017_07_11"', b'Version="Exchange2016"'))

    with peer(answer) as made:
        source = ExchangeSource(made.settings, ADDRESS)
        source.check()
        before = len(made.requests)
        source.check()
        source.folders(None)
        assert len(made.requests) - before == 3


@pytest.mark.parametrize(
    ("code", "how"),
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
def test_a_version_is_refused_in_several_ways(code: str, how: str) -> None:
    usual = answers_of(_one_mailbox())
    message = soap.envelope("GetFolder", soap.failure("GetFolder", soap.ItemFault(code)), "15.1.2507.39")
    refusal = {
        "fault": Response(500, soap.fault(soap.SoapFault(code, "No.")), XML),
        "message": Response(200, message, XML),
        "inner": Response(500, soap.fault(soap.SoapFault("ErrorInternalServerError", "", back_off=1, inner=code)), XML),
        "no XML": Response(500, b"The specified server version is invalid.", "text/plain"),
    }[how]

    def answer(request: Request) -> Response:
        return refusal if soap.parse(request.body).version > "Exchange2013" else usual(request)

    with peer(answer) as made:
        source = ExchangeSource(made.settings, ADDRESS)
        source.check()
        assert source.learned.startswith("Exchange2013 ")


def test_a_mailbox_that_takes_no_version_is_refused_alone_and_nothing_is_remembered(
    world: World, neighbour: Mailbox
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
    ExchangeSource(world.settings(), neighbour.address).check()


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


@pytest.mark.parametrize("written", ["", "Exchange2010_SP2", "Exchange2010_SP2 14.3", "Exchange2016 15.20"])
def test_what_was_written_is_read(written: str) -> None:
    assert str(WorkingVersion.read(written) or "") == written


@pytest.mark.parametrize("written", ["Exchange2030 15.1", "nonsense", "Exchange2016 15.1 more", " "])
def test_what_was_not_written_by_us_is_nothing(written: str) -> None:
    assert WorkingVersion.read(written) is None


def test_no_more_mailboxes_are_remembered_than_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.ews.versions.MOST_REMEMBERED", 2)
    versions = Versions()
    for name in "abc":
        versions.set(name, WorkingVersion("Exchange2013", "15.0"))
    assert [versions.get(name) is not None for name in "abc"] == [False, True, True]


def _one_mailbox() -> Store:
    return Store([ADDRESS])
