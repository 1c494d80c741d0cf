"""What a folder tells as removed is asked for by its id, and no hint is lost before Graph told where the message is."""

from __future__ import annotations

from collections import Counter

import pytest

from integrations import errors
from integrations.graph import changes as graph_changes
from integrations.graph.source import GraphSource
from integrations.messages import Change, ChangeKind, Cursor, Email, FolderId
from simulators.exchange.store import Item
from simulators.graph.identifiers import item_id as shown_id
from simulators.graph.identifiers import shown
from simulators.graph.removals import Removals
from tests.integrations.graph.conftest import World, fault_of

DONE = "Inbox/Done"


@pytest.fixture(autouse=True, params=list(Removals))
def removals(world: World, request: pytest.FixtureRequest) -> Removals:
    world.graph.removals = request.param
    world.mailbox.create_folder(DONE)
    return world.graph.removals


def inbox(world: World) -> FolderId:
    return FolderId(shown(world.mailbox.folder("Inbox").id))


def start(world: World, source: GraphSource) -> Cursor:
    return list(source.changes(inbox(world), None))[-1].cursor


def follow(world: World, source: GraphSource, after: Cursor) -> tuple[list[Change], Cursor]:
    pages = list(source.changes(inbox(world), after))
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    return [change for page in pages for change in page.changes], pages[-1].cursor


def places(world: World, told: list[Change]) -> dict[str, str]:
    """By item id: the folder, or `gone`."""
    names = {folder.id: folder.name for folder in world.source().folders(None).changed}
    return {change.item_id: "gone" if change.kind is ChangeKind.DELETED else names[change.folder_id] for change in told}


def number(item: Item) -> str:
    return shown_id(item, immutable=True)


def test_each_message_is_told_where_it_is(world: World) -> None:
    back, moved, deleted = world.deliver("back", "moved", "deleted")
    with world.source() as source:
        cursor = start(world, source)
        world.mailbox.move(world.mailbox.move(back.id, DONE).id, "Inbox")
        world.mailbox.move(moved.id, DONE)
        world.mailbox.delete(deleted.id, hard=True)
        told, _ = follow(world, source, cursor)
        assert places(world, told) == {number(back): "Inbox", number(moved): "Done", number(deleted): "gone"}
        here = [change for change in told if change.kind is not ChangeKind.DELETED]
        assert all(isinstance(outcome, Email) for outcome in source.fetch(here))


def test_twenty_are_asked_for_in_one_batch_and_not_again_for_their_content(world: World) -> None:
    items = world.deliver(*(f"m{one}" for one in range(25)))
    with world.source() as source:
        cursor = start(world, source)
        for item in items:
            world.mailbox.move(item.id, DONE)
        world.graph.requests.clear()
        told, after = follow(world, source, cursor)
        assert Counter(world.operations()) == {"messages-delta": 1, "batch": 2, "message": 25}
        assert set(places(world, told).values()) == {"Done"}
        world.graph.requests.clear()
        assert all(isinstance(outcome, Email) for outcome in source.fetch(told[-5:]))
        assert set(world.operations()) == {"mime"}
        assert follow(world, source, after)[0] == []


def test_whoever_dies_in_between_is_told_again(world: World) -> None:
    items = world.deliver(*(f"m{one}" for one in range(25)))
    with world.source() as source:
        cursor = start(world, source)
        for item in items:
            world.mailbox.move(item.id, DONE)
        told: list[Change] = []
        for _ in range(3):
            page = next(iter(source.changes(inbox(world), cursor)))
            told += page.changes
            cursor = page.cursor
    assert page.last
    assert set(places(world, told)) == {number(item) for item in items}


@pytest.mark.parametrize(
    ("effect", "options", "kind"),
    [
        ("throttled", {"retry_after": 7}, errors.ExchangeBusy),
        ("error", {"code": "ErrorServerBusy"}, errors.ExchangeBusy),
        ("error", {"code": "ErrorMailboxStoreUnavailable"}, errors.MailboxMoving),
        ("status", {"status": 502}, errors.ExchangeFailed),
        ("error", {"code": "Authorization_RequestDenied", "status": 403}, errors.PermissionMissing),
    ],
)
def test_what_is_no_messages_fault_ends_the_look_and_the_hints_stay(
    world: World, effect: str, options: dict[str, object], kind: type[errors.IntegrationError]
) -> None:
    one, other = world.deliver("one", "other")
    with world.source() as source:
        cursor = start(world, source)
        for item in (one, other):
            world.mailbox.move(item.id, DONE)
        world.graph.faults.add(effect, operation="message", mailbox=world.mailbox.address, **options)
        pages = source.changes(inbox(world), cursor)
        hints = next(pages)
        assert (hints.changes, hints.last) == ((), False)
        assert type(fault_of(lambda: next(pages))) is kind
        world.graph.faults.clear()
        told, _ = follow(world, source, hints.cursor)
    assert places(world, told) == {number(one): "Done", number(other): "Done"}


def test_one_part_of_a_batch_that_was_throttled_is_asked_for_once_more(world: World) -> None:
    items = world.deliver("one", "two", "three")
    with world.source() as source:
        cursor = start(world, source)
        for item in items:
            world.mailbox.move(item.id, DONE)
        world.graph.faults.add("throttled", operation="message", times=2)
        told, _ = follow(world, source, cursor)
    assert len(places(world, told)) == 3


def test_a_batch_that_is_not_answered_is_taken_apart(world: World) -> None:
    items = world.deliver("one", "two")
    with world.source() as source:
        cursor = start(world, source)
        for item in items:
            world.mailbox.move(item.id, DONE)
        world.graph.faults.add("error", operation="batch", code="UnknownError", times=1)
        told, _ = follow(world, source, cursor)
    assert len(places(world, told)) == 2


def test_a_message_that_may_not_be_read_keeps_its_hint_and_no_neighbour_waits(world: World) -> None:
    hidden, open_ = world.deliver("hidden", "open")
    world.mailbox.create_folder("Secret")
    with world.source() as source:
        cursor = start(world, source)
        world.mailbox.move(hidden.id, "Secret")
        world.mailbox.move(open_.id, DONE)
        world.mailbox.forbid_folder("Secret")
        told, cursor = follow(world, source, cursor)
        assert places(world, told) == {number(open_): "Done"}
        world.graph.requests.clear()
        told, cursor = follow(world, source, cursor)
        assert told == []
        assert Counter(world.operations())["batch"] == 1
        world.mailbox.forbid_folder("Secret", forbidden=False)
        told, cursor = follow(world, source, cursor)
        assert places(world, told) == {number(hidden): "Secret"}
        assert "unclear" not in cursor


def test_a_message_whose_properties_cannot_be_told_is_found_by_its_folder(world: World) -> None:
    (item,) = world.deliver("odd")
    with world.source() as source:
        cursor = start(world, source)
        world.mailbox.move(item.id, DONE)
        world.graph.faults.add(
            "corrupt", message_id=item.mail.message_id, operation="message", properties=["categories"]
        )
        told, _ = follow(world, source, cursor)
        assert places(world, told) == {number(item): "Done"}


def test_a_message_of_which_nothing_can_be_told_keeps_its_hint(world: World) -> None:
    (item,) = world.deliver("odd")
    with world.source() as source:
        cursor = start(world, source)
        world.mailbox.move(item.id, DONE)
        world.graph.faults.add("corrupt", message_id=item.mail.message_id, operation="message")
        told, cursor = follow(world, source, cursor)
        assert told == []
        world.graph.faults.clear()
        told, _ = follow(world, source, cursor)
    assert places(world, told) == {number(item): "Done"}


@pytest.mark.parametrize("status", [400, 404])
def test_a_refusal_of_one_message_that_nobody_knows_keeps_its_hint(world: World, status: int) -> None:
    odd, other = world.deliver("odd", "other")
    with world.source() as source:
        cursor = start(world, source)
        for item in (odd, other):
            world.mailbox.move(item.id, DONE)
        world.graph.faults.add(
            "corrupt", message_id=odd.mail.message_id, operation="message", code="ErrorNobodyKnows", status=status
        )
        told, cursor = follow(world, source, cursor)
        assert places(world, told) == {number(other): "Done"}
        world.graph.faults.clear()
        told, _ = follow(world, source, cursor)
    assert places(world, told) == {number(odd): "Done"}


def test_hints_that_stay_unclear_do_not_grow_without_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_changes, "MOST_UNCLEAR", 3)
    items = world.deliver(*(f"m{one}" for one in range(5)))
    world.mailbox.create_folder("Secret")
    with world.source() as source:
        cursor = start(world, source)
        for item in items:
            world.mailbox.move(item.id, "Secret")
        world.mailbox.forbid_folder("Secret")
        told, cursor = follow(world, source, cursor)
        assert set(places(world, told).values()) == {"gone"}
        assert len(told) == 2
        world.mailbox.forbid_folder("Secret", forbidden=False)
        told, _ = follow(world, source, cursor)
    assert len(places(world, told)) == 3


def test_an_answer_about_another_message_is_not_believed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = world.deliver("one", "other")
    with world.source() as source:
        cursor = start(world, source)
        world.mailbox.move(one.id, DONE)
        monkeypatch.setattr("simulators.graph.identifiers.find_item", lambda *_: other)
        assert "another" in str(fault_of(lambda: follow(world, source, cursor)).detail)
