"""The behaviour that `integrations.ports.Source` requires for the pages of a listing."""

from __future__ import annotations

from datetime import timedelta

from integrations.messages import Cursor, ItemId
from tests.contract.source_reading import (
    CREATED,
    fill,
    inbox,
    known_after,
    lines,
    only,
    pages,
    start_of,
)
from tests.contract.source_rigs import Rig
from tests.mails import NOON, mail, message_id_of


def test_a_first_listing_contains_all_items_newest_first(rig: Rig) -> None:
    items = fill(rig, 7)
    with rig.source(page_size=3) as source:
        listed = pages(source, inbox(source))
    changes = [change for page in listed for change in page.changes]
    assert [change.item_id for change in changes] == items[::-1]
    assert {change.kind for change in changes} == {CREATED}
    assert [page.last for page in listed] == [False] * (len(listed) - 1) + [True]
    assert max(len(page.changes) for page in listed) <= 3


def test_an_empty_folder_is_one_empty_page(rig: Rig) -> None:
    with rig.source() as source:
        (page,) = pages(source, inbox(source))
        assert (page.changes, page.last) == ((), True)
        (again,) = pages(source, inbox(source), page.cursor)
        assert (again.changes, again.last) == ((), True)


def test_a_listed_change_contains_message_id_received_time_class_size_and_draft_mark(rig: Rig) -> None:
    mime = mail("a")
    rig.deliver(mime, received=NOON + timedelta(seconds=1), item_class="IPM.Schedule.Meeting.Request", draft=True)
    with rig.source() as source:
        folder = inbox(source)
        change = only(lines(source, folder))
    assert (change.kind, change.folder_id) == (CREATED, folder)
    assert change.change_key
    assert change.message_id == message_id_of("a")
    assert change.received == NOON + timedelta(seconds=1)
    assert change.item_class == "IPM.Schedule.Meeting.Request"
    assert change.size == len(mime)
    assert change.draft


def test_every_page_has_a_cursor_after_which_exactly_the_remaining_items_are_listed(rig: Rig) -> None:
    items = fill(rig, 10)
    with rig.source(page_size=3) as source:
        folder = inbox(source)
        listed = pages(source, folder)
        listed_ids: list[ItemId] = []
        for page in listed:
            listed_ids += [change.item_id for change in page.changes]
            with rig.source(page_size=4) as other:
                rest = [change.item_id for change in lines(other, folder, page.cursor)]
            assert listed_ids + rest == items[::-1]


def test_a_page_is_returned_before_the_next_one_is_requested(rig: Rig) -> None:
    fill(rig, 5)
    with rig.source(page_size=2) as source:
        steps = source.changes(inbox(source), None)
        first = next(steps)
        late = rig.deliver(mail("late"), received=NOON + timedelta(days=1))
        rest = [change.item_id for page in steps for change in page.changes]
        assert late in rest
        assert not set(rest) & {change.item_id for change in first.changes}


def test_a_listing_is_correct_while_mail_arrives_moves_and_is_deleted(rig: Rig) -> None:
    rig.create_folder("Archive")
    items = fill(rig, 20)
    with rig.source(page_size=3) as source:
        folder = inbox(source)
        known: set[ItemId] = set()
        cursor: Cursor | None = None
        for number in range(60):
            page = next(iter(source.changes(folder, cursor)))
            known, cursor = known_after(folder, known, list(page.changes)), page.cursor
            if number < 4:
                rig.deliver(mail(f"new {number}"), received=NOON + timedelta(days=number - 2))
                rig.move(items.pop(), "Archive")
                rig.delete(items.pop(0))
                rig.edit(items[len(items) // 2], mail("edited"))
            elif page.last:
                break
        assert page.last
        assert known == rig.item_ids("Inbox")


def test_a_listing_continues_after_more_deletions_than_a_page_contains(rig: Rig) -> None:
    items = fill(rig, 30)
    with rig.source(page_size=4) as source:
        folder = inbox(source)
        first = next(iter(source.changes(folder, None)))
        for item_id in items[10:]:
            rig.delete(item_id)
        known = known_after(folder, {change.item_id for change in first.changes}, lines(source, folder, first.cursor))
    assert known == set(items[:10])


def test_every_page_of_a_later_listing_has_a_cursor_for_the_remaining_items(rig: Rig) -> None:
    with rig.source(page_size=3) as source:
        folder = inbox(source)
        cursor = start_of(source, folder)
        items = fill(rig, 8)
        known: set[ItemId] = set()
        for page in source.changes(folder, cursor):
            known = known_after(folder, known, list(page.changes))
            assert known | {change.item_id for change in lines(source, folder, page.cursor)} == set(items)
        assert known == set(items)
