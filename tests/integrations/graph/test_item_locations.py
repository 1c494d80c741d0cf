"""A message that change tracking reports as removed is requested by its id, because it may be in another folder.

The cursor contains the id until Graph has reported the folder of the message.
"""

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


def folders_by_id(world: World, listed: list[Change]) -> dict[str, str]:
    """Return the name of the folder of each item, or `gone`, by item id."""
    names = {folder.id: folder.name for folder in world.source().folders(None).changed}
    return {
        change.item_id: "gone" if change.kind is ChangeKind.DELETED else names[change.folder_id] for change in listed
    }


def graph_id(item: Item) -> str:
    return shown_id(item, immutable=True)


def test_each_removed_message_is_listed_in_its_current_folder(world: World) -> None:
    back, moved, deleted = world.deliver("back", "moved", "deleted")
    with world.source() as source:
        cursor = start(world, source)
        world.mailbox.move(world.mailbox.move(back.id, DONE).id, "Inbox")
        world.mailbox.move(moved.id, DONE)
        world.mailbox.delete(deleted.id, hard=True)
        listed, _ = follow(world, source, cursor)
        assert folders_by_id(world, listed) == {
            graph_id(back): "Inbox",
            graph_id(moved): "Done",
            graph_id(deleted): "gone",
        }
        here = [change for change in listed if change.kind is not ChangeKind.DELETED]
        assert all(isinstance(outcome, Email) for outcome in source.fetch(here))


def test_twenty_messages_are_located_per_batch_and_not_again_when_fetched(world: World) -> None:
    items = world.deliver(*(f"m{one}" for one in range(25)))
    with world.source() as source:
        cursor = start(world, source)
        for item in items:
            world.mailbox.move(item.id, DONE)
        world.graph.requests.clear()
        listed, after = follow(world, source, cursor)
        assert Counter(world.operations()) == {"messages-delta": 1, "batch": 2, "message": 25}
        assert set(folders_by_id(world, listed).values()) == {"Done"}
        world.graph.requests.clear()
        assert all(isinstance(outcome, Email) for outcome in source.fetch(listed[-5:]))
        assert set(world.operations()) == {"mime"}
        assert follow(world, source, after)[0] == []


def test_a_sync_that_stops_after_any_page_loses_no_removed_message(world: World) -> None:
    items = world.deliver(*(f"m{one}" for one in range(25)))
    with world.source() as source:
        cursor = start(world, source)
        for item in items:
            world.mailbox.move(item.id, DONE)
        listed: list[Change] = []
        for _ in range(3):
            page = next(iter(source.changes(inbox(world), cursor)))
            listed += page.changes
            cursor = page.cursor
    assert page.last
    assert set(folders_by_id(world, listed)) == {graph_id(item) for item in items}


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
def test_an_error_of_the_mailbox_ends_the_listing_and_the_cursor_keeps_the_ids(
    world: World, effect: str, options: dict[str, object], kind: type[errors.IntegrationError]
) -> None:
    one, other = world.deliver("one", "other")
    with world.source() as source:
        cursor = start(world, source)
        for item in (one, other):
            world.mailbox.move(item.id, DONE)
        world.graph.faults.add(effect, operation="message", mailbox=world.mailbox.address, **options)
        pages = source.changes(inbox(world), cursor)
        removed_page = next(pages)
        assert (removed_page.changes, removed_page.last) == ((), False)
        assert type(fault_of(lambda: next(pages))) is kind
        world.graph.faults.clear()
        listed, _ = follow(world, source, removed_page.cursor)
    assert folders_by_id(world, listed) == {graph_id(one): "Done", graph_id(other): "Done"}


def test_a_throttled_part_of_a_batch_is_requested_again(world: World) -> None:
    items = world.deliver("one", "two", "three")
    with world.source() as source:
        cursor = start(world, source)
        for item in items:
            world.mailbox.move(item.id, DONE)
        world.graph.faults.add("throttled", operation="message", times=2)
        listed, _ = follow(world, source, cursor)
    assert len(folders_by_id(world, listed)) == 3


def test_the_messages_of_a_failed_batch_are_requested_again(world: World) -> None:
    items = world.deliver("one", "two")
    with world.source() as source:
        cursor = start(world, source)
        for item in items:
            world.mailbox.move(item.id, DONE)
        world.graph.faults.add("error", operation="batch", code="UnknownError", times=1)
        listed, _ = follow(world, source, cursor)
    assert len(folders_by_id(world, listed)) == 2


def test_a_message_in_a_forbidden_folder_stays_in_the_cursor_and_delays_no_other(world: World) -> None:
    hidden, open_ = world.deliver("hidden", "open")
    world.mailbox.create_folder("Secret")
    with world.source() as source:
        cursor = start(world, source)
        world.mailbox.move(hidden.id, "Secret")
        world.mailbox.move(open_.id, DONE)
        world.mailbox.forbid_folder("Secret")
        listed, cursor = follow(world, source, cursor)
        assert folders_by_id(world, listed) == {graph_id(open_): "Done"}
        world.graph.requests.clear()
        listed, cursor = follow(world, source, cursor)
        assert listed == []
        assert Counter(world.operations())["batch"] == 1
        world.mailbox.forbid_folder("Secret", forbidden=False)
        listed, cursor = follow(world, source, cursor)
        assert folders_by_id(world, listed) == {graph_id(hidden): "Secret"}
        assert "unclear" not in cursor


def test_a_message_with_unreadable_properties_is_found_by_its_folder(world: World) -> None:
    (item,) = world.deliver("odd")
    with world.source() as source:
        cursor = start(world, source)
        world.mailbox.move(item.id, DONE)
        world.graph.faults.add(
            "corrupt", message_id=item.mail.message_id, operation="message", properties=["categories"]
        )
        listed, _ = follow(world, source, cursor)
        assert folders_by_id(world, listed) == {graph_id(item): "Done"}


def test_a_message_that_cannot_be_read_stays_in_the_cursor(world: World) -> None:
    (item,) = world.deliver("odd")
    with world.source() as source:
        cursor = start(world, source)
        world.mailbox.move(item.id, DONE)
        world.graph.faults.add("corrupt", message_id=item.mail.message_id, operation="message")
        listed, cursor = follow(world, source, cursor)
        assert listed == []
        world.graph.faults.clear()
        listed, _ = follow(world, source, cursor)
    assert folders_by_id(world, listed) == {graph_id(item): "Done"}


@pytest.mark.parametrize("status", [400, 404])
def test_a_message_with_an_unknown_error_code_stays_in_the_cursor(world: World, status: int) -> None:
    odd, other = world.deliver("odd", "other")
    with world.source() as source:
        cursor = start(world, source)
        for item in (odd, other):
            world.mailbox.move(item.id, DONE)
        world.graph.faults.add(
            "corrupt", message_id=odd.mail.message_id, operation="message", code="ErrorUnknownCode", status=status
        )
        listed, cursor = follow(world, source, cursor)
        assert folders_by_id(world, listed) == {graph_id(other): "Done"}
        world.graph.faults.clear()
        listed, _ = follow(world, source, cursor)
    assert folders_by_id(world, listed) == {graph_id(odd): "Done"}


def test_the_number_of_ids_in_the_cursor_is_limited(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_changes, "MAX_UNCLEAR", 3)
    items = world.deliver(*(f"m{one}" for one in range(5)))
    world.mailbox.create_folder("Secret")
    with world.source() as source:
        cursor = start(world, source)
        for item in items:
            world.mailbox.move(item.id, "Secret")
        world.mailbox.forbid_folder("Secret")
        listed, cursor = follow(world, source, cursor)
        assert set(folders_by_id(world, listed).values()) == {"gone"}
        assert len(listed) == 2
        world.mailbox.forbid_folder("Secret", forbidden=False)
        listed, _ = follow(world, source, cursor)
    assert len(folders_by_id(world, listed)) == 3


def test_an_answer_about_another_message_is_an_error(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = world.deliver("one", "other")
    with world.source() as source:
        cursor = start(world, source)
        world.mailbox.move(one.id, DONE)
        monkeypatch.setattr("simulators.graph.identifiers.find_item", lambda *_: other)
        assert "another" in str(fault_of(lambda: follow(world, source, cursor)).detail)
