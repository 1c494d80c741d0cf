"""The requests of a poll of Exchange: their operations, their number and their headers."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from integrations.ews.connection import close_all
from tests.contract.source_rigs import WAYS
from tests.integrations.ews.conftest import World


def test_creating_a_source_sends_no_request(world: World) -> None:
    for way in WAYS:
        world.source(world.settings(way))
        world.source(replace(world.settings(way), key="without", build_version=""))
    assert world.wire.seen == []


def test_a_poll_without_changes_is_one_request_for_the_tree_and_one_for_each_folder(
    world: World,
) -> None:
    with world.source() as source:
        tree = source.folders(None)
        cursors = {folder.id: list(source.changes(folder.id, None))[-1].cursor for folder in tree.changed}
    world.forget()
    with world.source() as source:
        source.folders(tree.cursor)
        for folder, cursor in cursors.items():
            assert [page.changes for page in source.changes(folder, cursor)] == [()]
    assert world.operations() == ["SyncFolderHierarchy"] + ["SyncFolderItems"] * len(cursors)
    assert world.wire.statuses() == [200] * (1 + len(cursors))


def test_a_page_is_requested_when_it_is_consumed_and_not_before(world: World) -> None:
    for number in range(6):
        world.deliver(str(number))
    with world.source(page_size=2) as source:
        steps = source.changes(world.inbox(), None)
        assert world.operations() == []
        next(steps)
        assert world.operations() == ["SyncFolderItems"]


def test_a_batch_is_one_request(world: World) -> None:
    for number in range(120):
        world.deliver(str(number))
    with world.source() as source:
        listed = world.listed(source)
        world.forget()
        assert len(list(source.fetch(listed))) == 120
        assert list(source.fetch([])) == []
    assert world.operations() == ["GetItem"]


def test_an_unknown_build_version_is_requested_once(world: World) -> None:
    settings = replace(world.settings(), build_version="")
    for _ in range(3):
        with world.source(settings) as source:
            source.check()
            source.folders(None)
    assert world.operations().count("ConvertId") == 1
    close_all()
    with world.source(settings) as source:
        source.check()
    assert world.operations().count("ConvertId") == 2


@pytest.mark.parametrize("way", WAYS)
def test_a_connection_signs_in_once(world: World, way: str) -> None:
    for _ in range(3):
        with world.source(world.settings(way)) as source:
            source.check()
            world.listed(source)
    refused = world.wire.statuses().count(401)
    assert refused == (2 if way.startswith("NTLM") else 0)
    assert world.wire.labels().count("token") == (1 if way.startswith("OAuth") else 0)
    ews_requests = [request for request, _ in world.wire.seen if request.path.endswith("/Exchange.asmx")]
    assert len({request.connection.number for request in ews_requests}) == 1


def test_every_request_has_a_user_agent_a_mailbox_and_a_request_id(world: World) -> None:
    settings = replace(world.settings("OAuth, impersonation"), user_agent="bank-mail/7")
    with world.source(settings) as source:
        source.check()
        source.folders(None)
    requests = [request for request, _ in world.wire.seen]
    assert {request.headers["User-Agent"] for request in requests} == {"bank-mail/7"}
    ews_requests = [request for request in requests if request.path.endswith(".asmx")]
    assert {request.headers["X-AnchorMailbox"] for request in ews_requests} == {world.mailbox.address}
    assert {request.headers["return-client-request-id"] for request in ews_requests} == {"true"}
    assert len({uuid.UUID(request.headers["client-request-id"]) for request in ews_requests}) == len(ews_requests) == 3


def test_only_operations_that_read_are_ever_used(world: World) -> None:
    settings = replace(world.settings("Basic, delegate"), key="reader", username="BANK\\reader", build_version="")
    world.deliver("a")
    with world.source(settings) as source:
        source.check()
        source.folders(None)
        assert len(list(source.fetch(world.listed(source)))) == 1
    assert set(world.operations()) <= {"ConvertId", "GetFolder", "SyncFolderHierarchy", "SyncFolderItems", "GetItem"}
