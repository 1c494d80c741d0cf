"""The behaviour that `integrations.ports.Source` requires for the changes in a folder."""

from __future__ import annotations

from integrations.messages import Email
from tests.contract.source_reading import (
    CREATED,
    DELETED,
    READ,
    UPDATED,
    fill,
    inbox,
    known_after,
    lines,
    only,
    start_of,
    tree,
)
from tests.contract.source_rigs import Rig
from tests.mails import NOON, mail, message_id_of

PRESENT = (CREATED, UPDATED)


def test_only_the_new_email_is_listed(rig: Rig) -> None:
    fill(rig, 3)
    with rig.source() as source:
        folder = inbox(source)
        cursor = start_of(source, folder)
        item_id = rig.deliver(mail("new"))
        change = only(lines(source, folder, cursor))
    assert change.kind in PRESENT
    assert (change.item_id, change.message_id) == (item_id, message_id_of("new"))


def test_a_moved_email_leaves_one_folder_and_appears_in_the_other(rig: Rig) -> None:
    rig.create_folder("Inbox/Done")
    old = rig.deliver(mail("a"))
    with rig.source() as source:
        here, there = inbox(source), tree(source)["Inbox/Done"].id
        cursors = start_of(source, here), start_of(source, there)
        new = rig.move(old, "Inbox/Done")
        changes = [*lines(source, here, cursors[0]), *lines(source, there, cursors[1])]
    assert known_after(here, {old}, changes) == set()
    assert known_after(there, set(), changes) == {new}
    came = [change for change in changes if change.kind is not DELETED]
    assert {change.kind for change in came} <= set(PRESENT)
    assert {(change.folder_id, change.message_id, change.received) for change in came} == {
        (there, message_id_of("a"), NOON)
    }


def test_an_email_that_arrived_and_was_moved_between_two_listings_is_in_its_current_folder(rig: Rig) -> None:
    rig.create_folder("Inbox/Done")
    with rig.source() as source:
        here, there = inbox(source), tree(source)["Inbox/Done"].id
        cursors = start_of(source, here), start_of(source, there)
        item_id = rig.move(rig.deliver(mail("a")), "Inbox/Done")
        changes = [*lines(source, here, cursors[0]), *lines(source, there, cursors[1])]
        assert known_after(there, set(), changes) == {item_id}
        (email,) = source.fetch([change for change in changes if change.folder_id == there][:1])
    assert isinstance(email, Email)
    assert email.mime == rig.as_returned(mail("a"))


def test_a_copy_is_another_item_and_the_original_stays(rig: Rig) -> None:
    rig.create_folder("Inbox/Done")
    original = rig.deliver(mail("a"))
    with rig.source() as source:
        here, there = inbox(source), tree(source)["Inbox/Done"].id
        cursor = start_of(source, here)
        copy = rig.copy(original, "Inbox/Done")
        assert lines(source, here, cursor) == []
        assert only(lines(source, there)).item_id == copy != original


def test_an_edit_is_listed_with_a_new_change_key(rig: Rig) -> None:
    item_id = rig.deliver(mail("a"))
    with rig.source() as source:
        folder = inbox(source)
        before = only(lines(source, folder))
        cursor = start_of(source, folder)
        rig.edit(item_id, mail("a", body="Other words."))
        change = only(lines(source, folder, cursor))
        (email,) = source.fetch([change])
    assert (change.kind, change.item_id) == (UPDATED, item_id)
    assert change.change_key != before.change_key
    assert isinstance(email, Email)
    assert email.mime == rig.as_returned(mail("a", body="Other words."))


def test_a_read_mark_is_no_change_of_content(rig: Rig) -> None:
    item_id = rig.deliver(mail("a"))
    with rig.source() as source:
        folder = inbox(source)
        before = only(lines(source, folder))
        cursor = start_of(source, folder)
        rig.mark_read(item_id)
        change = only(lines(source, folder, cursor))
    assert change.item_id == item_id
    assert change.kind is READ or (change.kind, change.change_key) == (UPDATED, before.change_key)


def test_an_edit_is_not_hidden_by_a_read_mark(rig: Rig) -> None:
    item_id = rig.deliver(mail("a"))
    with rig.source() as source:
        folder = inbox(source)
        cursor = start_of(source, folder)
        rig.mark_read(item_id)
        rig.edit(item_id, mail("a", body="Other words."))
        rig.mark_read(item_id)
        assert only(lines(source, folder, cursor)).kind is UPDATED


def test_an_email_that_was_moved_away_and_back_is_listed_as_present(rig: Rig) -> None:
    rig.create_folder("Inbox/Done")
    item_id = rig.deliver(mail("a"))
    with rig.source() as source:
        folder = inbox(source)
        cursor = start_of(source, folder)
        back = rig.move(rig.move(item_id, "Inbox/Done"), "Inbox")
        assert known_after(folder, {item_id}, lines(source, folder, cursor)) == {back}


def test_a_deletion_is_listed_with_the_item_id(rig: Rig) -> None:
    item_id, *_ = fill(rig, 2)
    with rig.source() as source:
        folder = inbox(source)
        cursor = start_of(source, folder)
        rig.delete(item_id)
        change = only(lines(source, folder, cursor))
    assert (change.kind, change.item_id, change.folder_id) == (DELETED, item_id, folder)


def test_an_email_that_arrived_and_was_deleted_is_never_listed_as_present(rig: Rig) -> None:
    with rig.source() as source:
        folder = inbox(source)
        cursor = start_of(source, folder)
        rig.delete(rig.deliver(mail("brief")))
        assert known_after(folder, set(), lines(source, folder, cursor)) == set()
        assert lines(source, folder) == []


def test_the_changes_of_each_folder_are_separate(rig: Rig) -> None:
    rig.create_folder("Inbox/Done")
    with rig.source() as source:
        here, there = inbox(source), tree(source)["Inbox/Done"].id
        cursor = start_of(source, here)
        rig.deliver(mail("a"), "Inbox/Done")
        assert lines(source, here, cursor) == []
        assert len(lines(source, there)) == 1
