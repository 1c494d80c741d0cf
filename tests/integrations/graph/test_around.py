"""An email of which Graph's change tracking cannot tell is narrowed down, and gone around: the rest passes."""

from __future__ import annotations

from typing import Any

import pytest

from integrations import errors
from integrations.graph.changes import PATIENCE
from integrations.graph.source import GraphSource
from integrations.messages import ChangeKind, ChangePage, Cursor, Email, Unreadable
from tests.integrations.graph.conftest import World, fault_of
from tests.mails import message_id_of

NAMES = [f"m{number}" for number in range(20)]


def told(pages: list[ChangePage]) -> set[str]:
    return {change.message_id for page in pages for change in page.changes}


def ids(*names: str) -> set[str]:
    return {message_id_of(name) for name in names}


def all_told(world: World, source: GraphSource, after: Cursor | None = None) -> list[ChangePage]:
    """What a mailbox's syncs are told, each from the checkpoint of the last one. Some of them fail: troubles mostly pass."""
    pages: list[ChangePage] = []
    folder = world.inbox(source)
    for _ in range(PATIENCE + 1):
        try:
            pages.extend(source.changes(folder, pages[-1].cursor if pages else after))
        except errors.Transient:
            continue
        return pages
    raise AssertionError("it is not gone around")


def corrupt(world: World, name: str, **options: Any) -> None:
    world.graph.faults.add("corrupt", message_id=message_id_of(name), **options)


@pytest.mark.parametrize("status", [500, 504])
@pytest.mark.parametrize("name", ["m19", "m7", "m0"], ids=["newest", "in the middle", "oldest"])
def test_all_but_the_email_that_cannot_be_told_are_told(world: World, status: int, name: str) -> None:
    world.deliver(*NAMES)
    corrupt(world, name, status=status)
    with world.source(page_size=8) as source:
        pages = all_told(world, source)
        assert ids(*NAMES) - told(pages) == ids(name)
        assert pages[-1].last
        (unlisted,) = [change for page in pages for change in page.changes if not change.message_id]
        (outcome,) = source.fetch([unlisted])
    assert isinstance(outcome, Unreadable)


def test_one_that_only_the_change_tracking_cannot_tell_is_read_like_any_other(world: World) -> None:
    world.deliver(*NAMES)
    corrupt(world, "m7", operation="messages-delta")
    with world.source(page_size=8) as source:
        pages = all_told(world, source)
        assert told(pages) == ids(*NAMES)
        (change,) = [one for page in pages for one in page.changes if one.message_id == message_id_of("m7")][:1]
        (email,) = source.fetch([change])
    assert isinstance(email, Email)


def test_one_that_is_corrupt_in_its_properties_is_known_by_its_id(world: World) -> None:
    world.deliver(*NAMES)
    corrupt(world, "m7", properties=["internetMessageId"])
    with world.source(page_size=8) as source:
        pages = all_told(world, source)
        (change,) = [one for page in pages for one in page.changes if not one.message_id]
        assert change.item_id.startswith("AA")
        assert change.received is not None
        assert ids(*NAMES) - told(pages) == ids("m7")


def test_a_worker_that_starts_anew_at_any_page_tells_the_rest(world: World) -> None:
    world.deliver(*NAMES)
    corrupt(world, "m7")
    with world.source(page_size=4) as source:
        pages = all_told(world, source)
    known: set[str] = set()
    for page in pages[:-1]:
        known |= told([page])
        with world.source(page_size=5) as other:
            assert known | told(all_told(world, other, page.cursor)) >= ids(*NAMES) - ids("m7")


def test_mail_that_arrives_meanwhile_is_found_and_when_it_is_mended_the_tracking_goes_on(world: World) -> None:
    items = world.deliver(*NAMES)
    corrupt(world, "m7")
    with world.source(page_size=8) as source:
        folder, cursor = world.inbox(source), all_told(world, source)[-1].cursor
        world.deliver(*(f"late{number}" for number in range(3)))
        look = list(source.changes(folder, cursor))
        assert told(look) >= ids("late0", "late1", "late2")
        world.graph.faults.clear()
        world.mailbox.delete(items[2].id, hard=True)
        world.graph.requests.clear()
        pages = list(source.changes(folder, look[-1].cursor))
        assert "messages" not in world.operations()
        known = {change.message_id for page in pages for change in page.changes}
        assert known >= ids("m7", "late0", "late1", "late2")
        after = pages[-1].cursor
        assert [page.changes for page in source.changes(folder, after)] == [()]


def test_a_service_that_fails_at_everything_is_no_corrupt_email(world: World) -> None:
    world.deliver(*NAMES)
    source = world.source()
    folder = world.inbox(source)
    world.graph.faults.add("error", code="ErrorInternalServerError")
    assert isinstance(fault_of(lambda: list(source.changes(folder, None))), errors.ExchangeFailed)
    world.graph.faults.clear()
    assert told(list(source.changes(folder, None))) == ids(*NAMES)


def test_many_emails_of_one_second_around_one_that_cannot_be_told_are_all_told(world: World) -> None:
    for number in range(20):
        world.mailbox.deliver(world.deliver(f"same{number}")[0].mail)
    corrupt(world, "same7")
    with world.source(page_size=4) as source:
        pages = all_told(world, source)
    assert told(pages) >= ids(*(f"same{number}" for number in range(20) if number != 7))


def test_a_failure_that_passes_is_met_by_smaller_pages_and_forgotten(world: World) -> None:
    world.deliver(*NAMES)
    world.graph.faults.add("error", operation="messages-delta", code="UnknownError", times=1)
    with world.source(page_size=16) as source:
        pages = world.pages(source)
        assert told(pages) == ids(*NAMES)
        assert "messages" not in world.operations()
        assert {change.kind for page in pages for change in page.changes} == {ChangeKind.CREATED}
        cursor: Cursor = pages[-1].cursor
        assert [page.changes for page in source.changes(world.inbox(source), cursor)] == [()]


def test_the_same_email_gets_the_same_name_whenever_the_folder_is_listed_whole(world: World) -> None:
    world.deliver(*NAMES)
    corrupt(world, "m7")
    with world.source(page_size=8) as source:
        pages = all_told(world, source)
        for number in range(4):
            world.deliver(f"late{number}")
            pages += source.changes(world.inbox(source), pages[-1].cursor)
        assert world.operations().count("messages-delta") > 8
    assert len({change.item_id for page in pages for change in page.changes if not change.message_id}) == 1
