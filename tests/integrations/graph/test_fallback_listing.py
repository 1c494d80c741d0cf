"""If Graph's change tracking fails because of one email, the adapter finds and skips it, and lists all other emails."""

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


def message_ids(pages: list[ChangePage]) -> set[str]:
    return {change.message_id for page in pages for change in page.changes}


def ids(*names: str) -> set[str]:
    return {message_id_of(name) for name in names}


def list_with_retries(world: World, source: GraphSource, after: Cursor | None = None) -> list[ChangePage]:
    """List the inbox to its end, and return the pages. After a transient error, continue at the cursor of the last page."""
    pages: list[ChangePage] = []
    folder = world.inbox(source)
    for _ in range(PATIENCE + 1):
        try:
            pages.extend(source.changes(folder, pages[-1].cursor if pages else after))
        except errors.Transient:
            continue
        return pages
    raise AssertionError("the email is not skipped")


def corrupt(world: World, name: str, **options: Any) -> None:
    world.graph.faults.add("corrupt", message_id=message_id_of(name), **options)


@pytest.mark.parametrize("status", [500, 504])
@pytest.mark.parametrize("name", ["m19", "m7", "m0"], ids=["newest", "in the middle", "oldest"])
def test_all_emails_except_the_corrupt_one_are_listed(world: World, status: int, name: str) -> None:
    world.deliver(*NAMES)
    corrupt(world, name, status=status)
    with world.source(page_size=8) as source:
        pages = list_with_retries(world, source)
        assert ids(*NAMES) - message_ids(pages) == ids(name)
        assert pages[-1].last
        (unlisted,) = [change for page in pages for change in page.changes if not change.message_id]
        (outcome,) = source.fetch([unlisted])
    assert isinstance(outcome, Unreadable)


def test_an_email_that_only_change_tracking_cannot_list_is_read_normally(world: World) -> None:
    world.deliver(*NAMES)
    corrupt(world, "m7", operation="messages-delta")
    with world.source(page_size=8) as source:
        pages = list_with_retries(world, source)
        assert message_ids(pages) == ids(*NAMES)
        (change,) = [one for page in pages for one in page.changes if one.message_id == message_id_of("m7")][:1]
        (email,) = source.fetch([change])
    assert isinstance(email, Email)


def test_an_email_with_a_corrupt_property_is_listed_by_its_id(world: World) -> None:
    world.deliver(*NAMES)
    corrupt(world, "m7", properties=["internetMessageId"])
    with world.source(page_size=8) as source:
        pages = list_with_retries(world, source)
        (change,) = [one for page in pages for one in page.changes if not one.message_id]
        assert change.item_id.startswith("AA")
        assert change.received is not None
        assert ids(*NAMES) - message_ids(pages) == ids("m7")


def test_a_sync_that_starts_at_any_page_lists_the_remaining_emails(world: World) -> None:
    world.deliver(*NAMES)
    corrupt(world, "m7")
    with world.source(page_size=4) as source:
        pages = list_with_retries(world, source)
    seen: set[str] = set()
    for page in pages[:-1]:
        seen |= message_ids([page])
        with world.source(page_size=5) as other:
            assert seen | message_ids(list_with_retries(world, other, page.cursor)) >= ids(*NAMES) - ids("m7")


def test_new_mail_is_listed_and_change_tracking_resumes_after_the_repair(world: World) -> None:
    items = world.deliver(*NAMES)
    corrupt(world, "m7")
    with world.source(page_size=8) as source:
        folder, cursor = world.inbox(source), list_with_retries(world, source)[-1].cursor
        world.deliver(*(f"late{number}" for number in range(3)))
        listed = list(source.changes(folder, cursor))
        assert message_ids(listed) >= ids("late0", "late1", "late2")
        world.graph.faults.clear()
        world.mailbox.delete(items[2].id, hard=True)
        world.graph.requests.clear()
        pages = list(source.changes(folder, listed[-1].cursor))
        assert "messages" not in world.operations()
        seen = {change.message_id for page in pages for change in page.changes}
        assert seen >= ids("m7", "late0", "late1", "late2")
        after = pages[-1].cursor
        assert [page.changes for page in source.changes(folder, after)] == [()]


def test_a_service_that_always_fails_is_not_taken_for_a_corrupt_email(world: World) -> None:
    world.deliver(*NAMES)
    source = world.source()
    folder = world.inbox(source)
    world.graph.faults.add("error", code="ErrorInternalServerError")
    assert isinstance(fault_of(lambda: list(source.changes(folder, None))), errors.ExchangeFailed)
    world.graph.faults.clear()
    assert message_ids(list(source.changes(folder, None))) == ids(*NAMES)


def test_emails_of_the_same_second_as_a_corrupt_one_are_all_listed(world: World) -> None:
    for number in range(20):
        world.mailbox.deliver(world.deliver(f"same{number}")[0].mail)
    corrupt(world, "same7")
    with world.source(page_size=4) as source:
        pages = list_with_retries(world, source)
    assert message_ids(pages) >= ids(*(f"same{number}" for number in range(20) if number != 7))


def test_a_transient_failure_leads_to_smaller_pages_and_no_skipped_email(world: World) -> None:
    world.deliver(*NAMES)
    world.graph.faults.add("error", operation="messages-delta", code="UnknownError", times=1)
    with world.source(page_size=16) as source:
        pages = world.pages(source)
        assert message_ids(pages) == ids(*NAMES)
        assert "messages" not in world.operations()
        assert {change.kind for page in pages for change in page.changes} == {ChangeKind.CREATED}
        cursor: Cursor = pages[-1].cursor
        assert [page.changes for page in source.changes(world.inbox(source), cursor)] == [()]


def test_a_skipped_email_has_the_same_id_in_every_full_listing(world: World) -> None:
    world.deliver(*NAMES)
    corrupt(world, "m7")
    with world.source(page_size=8) as source:
        pages = list_with_retries(world, source)
        for number in range(4):
            world.deliver(f"late{number}")
            pages += source.changes(world.inbox(source), pages[-1].cursor)
        assert world.operations().count("messages-delta") > 8
    assert len({change.item_id for page in pages for change in page.changes if not change.message_id}) == 1
