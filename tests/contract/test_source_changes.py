"""What every source promises of the changes in a folder: see `integrations.ports.Source`."""

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

THERE = (CREATED, UPDATED)


def test_new_mail_is_told_alone(rig: Rig) -> None:
    fill(rig, 3)
    with rig.source() as source:
        folder = inbox(source)
        cursor = start_of(source, folder)
        item_id = rig.deliver(mail("new"))
        change = only(lines(source, folder, cursor))
    assert change.kind in THERE
    assert (change.item_id, change.message_id) == (item_id, message_id_of("new"))


def test_a_moved_email_goes_here_and_comes_there(rig: Rig) -> None:
    rig.create_folder("Inbox/Done")
    old = rig.deliver(mail("a"))
    with rig.source() as source:
        here, there = inbox(source), tree(source)["Inbox/Done"].id
        cursors = start_of(source, here), start_of(source, there)
        new = rig.move(old, "Inbox/Done")
        told = [*lines(source, here, cursors[0]), *lines(source, there, cursors[1])]
    assert known_after(here, {old}, told) == set()
    assert known_after(there, set(), told) == {new}
    came = [change for change in told if change.kind is not DELETED]
    assert {change.kind for change in came} <= set(THERE)
    assert {(change.folder_id, change.message_id, change.received) for change in came} == {
        (there, message_id_of("a"), NOON)
    }


def test_an_email_that_came_and_was_moved_on_between_two_looks_is_told_where_it_is(rig: Rig) -> None:
    rig.create_folder("Inbox/Done")
    with rig.source() as source:
        here, there = inbox(source), tree(source)["Inbox/Done"].id
        cursors = start_of(source, here), start_of(source, there)
        item_id = rig.move(rig.deliver(mail("a")), "Inbox/Done")
        told = [*lines(source, here, cursors[0]), *lines(source, there, cursors[1])]
        assert known_after(there, set(), told) == {item_id}
        (email,) = source.fetch([change for change in told if change.folder_id == there][:1])
    assert isinstance(email, Email)
    assert email.mime == rig.as_handed_out(mail("a"))


def test_a_copy_is_another_item_and_the_original_stays(rig: Rig) -> None:
    rig.create_folder("Inbox/Done")
    original = rig.deliver(mail("a"))
    with rig.source() as source:
        here, there = inbox(source), tree(source)["Inbox/Done"].id
        cursor = start_of(source, here)
        copy = rig.copy(original, "Inbox/Done")
        assert lines(source, here, cursor) == []
        assert only(lines(source, there)).item_id == copy != original


def test_an_edit_is_told_with_a_new_change_key(rig: Rig) -> None:
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
    assert email.mime == rig.as_handed_out(mail("a", body="Other words."))


def test_a_read_mark_is_told_as_that_and_no_more(rig: Rig) -> None:
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


def test_an_email_that_was_moved_away_and_back_is_told_as_there(rig: Rig) -> None:
    rig.create_folder("Inbox/Done")
    item_id = rig.deliver(mail("a"))
    with rig.source() as source:
        folder = inbox(source)
        cursor = start_of(source, folder)
        back = rig.move(rig.move(item_id, "Inbox/Done"), "Inbox")
        assert known_after(folder, {item_id}, lines(source, folder, cursor)) == {back}


def test_a_deletion_is_told_with_the_item_id(rig: Rig) -> None:
    item_id, *_ = fill(rig, 2)
    with rig.source() as source:
        folder = inbox(source)
        cursor = start_of(source, folder)
        rig.delete(item_id)
        change = only(lines(source, folder, cursor))
    assert (change.kind, change.item_id, change.folder_id) == (DELETED, item_id, folder)


def test_what_came_and_went_again_is_never_told_as_there(rig: Rig) -> None:
    with rig.source() as source:
        folder = inbox(source)
        cursor = start_of(source, folder)
        rig.delete(rig.deliver(mail("brief")))
        assert known_after(folder, set(), lines(source, folder, cursor)) == set()
        assert lines(source, folder) == []


def test_every_folder_has_its_own_place(rig: Rig) -> None:
    rig.create_folder("Inbox/Done")
    with rig.source() as source:
        here, there = inbox(source), tree(source)["Inbox/Done"].id
        cursor = start_of(source, here)
        rig.deliver(mail("a"), "Inbox/Done")
        assert lines(source, here, cursor) == []
        assert len(lines(source, there)) == 1
