"""The behaviour that `integrations.ports.Source` requires for invalid cursors and deleted folders."""

from __future__ import annotations

import pytest

from integrations.errors import CursorRefused, FolderGone
from integrations.messages import Cursor
from tests.contract.source_reading import (
    fill,
    inbox,
    lines,
    start_of,
    tree,
)
from tests.contract.source_rigs import Rig
from tests.mails import mail


@pytest.mark.parametrize("bare", [False, True], ids=["", "bare"])
def test_an_expired_cursor_is_refused_and_a_new_listing_works(rig: Rig, bare: bool) -> None:
    items = fill(rig, 2)
    with rig.source() as source:
        folder = inbox(source)
        tree_cursor, cursor = source.folders(None).cursor, start_of(source, folder)
        rig.expire_cursors(bare=bare)
        with pytest.raises(CursorRefused):
            lines(source, folder, cursor)
        with pytest.raises(CursorRefused):
            source.folders(tree_cursor)
        assert [change.item_id for change in lines(source, folder)] == items[::-1]
        assert source.folders(None).changed


def test_a_cursor_that_expires_between_two_pages_is_refused_at_the_next(rig: Rig) -> None:
    fill(rig, 5)
    with rig.source(page_size=2) as source:
        steps = source.changes(inbox(source), None)
        next(steps)
        rig.expire_cursors()
        with pytest.raises(CursorRefused):
            next(steps)


def test_a_cursor_of_another_folder_is_refused(rig: Rig) -> None:
    with rig.source() as source:
        folders = tree(source)
        cursor = start_of(source, folders["Sent Items"].id)
        with pytest.raises(CursorRefused):
            lines(source, folders["Inbox"].id, cursor)
        with pytest.raises(CursorRefused):
            source.folders(cursor)
        with pytest.raises(CursorRefused):
            lines(source, folders["Inbox"].id, source.folders(None).cursor)


@pytest.mark.parametrize("damage", [lambda text: text[:-1], lambda text: text[:7], lambda text: "nonsense"])
def test_a_damaged_cursor_is_refused(rig: Rig, damage: object) -> None:
    assert callable(damage)
    with rig.source() as source:
        folder = inbox(source)
        with pytest.raises(CursorRefused):
            lines(source, folder, Cursor(damage(start_of(source, folder))))
        with pytest.raises(CursorRefused):
            source.folders(Cursor(damage(source.folders(None).cursor)))


def test_a_deleted_folder_is_reported_with_and_without_a_cursor(rig: Rig) -> None:
    rig.create_folder("Inbox/Trades")
    rig.deliver(mail("a"), "Inbox/Trades")
    with rig.source() as source:
        folder = tree(source)["Inbox/Trades"].id
        cursor = start_of(source, folder)
        rig.delete_folder("Inbox/Trades")
        with pytest.raises(FolderGone):
            lines(source, folder)
        with pytest.raises(FolderGone):
            lines(source, folder, cursor)


def test_a_mailbox_that_moved_to_another_server_has_new_ids_for_the_same_mail(rig: Rig) -> None:
    fill(rig, 3)
    with rig.source() as source:
        folder = inbox(source)
        before = lines(source, folder)
        tree_cursor = source.folders(None).cursor
        rig.migrate()
        with pytest.raises(CursorRefused):
            source.folders(tree_cursor)
        with pytest.raises(FolderGone):
            lines(source, folder)
        after = lines(source, inbox(source))
    assert not {change.item_id for change in before} & {change.item_id for change in after}
    facts = [[(one.message_id, one.received, one.size) for one in listing] for listing in (before, after)]
    assert facts[0] == facts[1]
