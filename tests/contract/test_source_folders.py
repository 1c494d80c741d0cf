"""The behaviour that `integrations.ports.Source` requires for a mailbox and its folders."""

from __future__ import annotations

import pytest

from integrations.errors import MailboxNotFound
from integrations.messages import FolderKind
from tests.contract.source_reading import (
    inbox,
    lines,
    start_of,
    tree,
)
from tests.contract.source_rigs import NAMES, Rig, Rigs
from tests.mails import mail


def test_a_mailbox_that_may_be_read_passes_the_check(rig: Rig) -> None:
    with rig.source() as source:
        source.check()


def test_check_and_folders_report_a_missing_mailbox(rig: Rig) -> None:
    with rig.source_of_missing_mailbox() as source:
        for work in (source.check, lambda: source.folders(None)):
            with pytest.raises(MailboxNotFound):
                work()


def test_the_first_call_returns_the_whole_tree(rig: Rig) -> None:
    rig.create_folder("Inbox/Trades")
    rig.create_folder("Inbox/Trades/Unmatched & “late”")
    with rig.source() as source:
        result = source.folders(None)
        assert result.gone == ()
        assert {"Inbox", "Inbox/Trades", "Inbox/Trades/Unmatched & “late”", "Sent Items"} <= set(tree(source))
        assert len({folder.id for folder in result.changed}) == len(result.changed)


def test_an_unchanged_tree_has_no_changes(rig: Rig) -> None:
    with rig.source() as source:
        cursor = source.folders(None).cursor
        again = source.folders(cursor)
        assert (again.changed, again.gone) == ((), ())
        assert source.folders(again.cursor).changed == ()


def test_only_a_folder_that_is_added_renamed_or_moved_is_a_change_and_it_keeps_its_id(rig: Rig) -> None:
    rig.create_folder("Archive")
    with rig.source() as source:
        cursor = source.folders(None).cursor
        rig.create_folder("Inbox/Trades")
        added = source.folders(cursor)
        (folder,) = added.changed
        assert (folder.name, folder.parent_id) == ("Trades", inbox(source))
        rig.rename_folder("Inbox/Trades", "Deals")
        renamed = source.folders(added.cursor)
        assert [(one.id, one.name) for one in renamed.changed] == [(folder.id, "Deals")]
        rig.move_folder("Inbox/Deals", "Archive")
        moved = source.folders(renamed.cursor)
        assert [(one.id, one.parent_id) for one in moved.changed] == [(folder.id, tree(source)["Archive"].id)]
        assert tree(source)["Archive/Deals"].id == folder.id


def test_a_deleted_folder_and_its_subfolders_are_gone(rig: Rig) -> None:
    for path in ("Inbox/Trades", "Inbox/Trades/Old"):
        rig.create_folder(path)
    with rig.source() as source:
        before = tree(source)
        cursor = source.folders(None).cursor
        rig.delete_folder("Inbox/Trades")
        result = source.folders(cursor)
        assert set(result.gone) == {before["Inbox/Trades"].id, before["Inbox/Trades/Old"].id}
        assert result.changed == ()
        assert "Inbox/Trades" not in tree(source)


@pytest.mark.parametrize("name", NAMES)
def test_well_known_folders_are_recognised_in_another_language(all_rigs: Rigs, name: str) -> None:
    german = {"Inbox": "Posteingang", "Sent Items": "Gesendete Elemente", "Drafts": "Entwürfe",
              "Deleted Items": "Gelöschte Elemente", "Junk Email": "Junk-E-Mail"}  # fmt: skip
    rig = all_rigs.rig(name, german)
    rig.create_folder("Inbox")
    with rig.source() as source:
        kinds = {path: folder.kind for path, folder in tree(source).items()}
    assert kinds["Posteingang"] is FolderKind.INBOX
    assert kinds["Gesendete Elemente"] is FolderKind.SENT
    assert kinds["Entwürfe"] is FolderKind.DRAFTS
    assert kinds["Gelöschte Elemente"] is FolderKind.DELETED
    assert kinds["Junk-E-Mail"] is FolderKind.JUNK
    assert kinds["Inbox"] is FolderKind.ORDINARY


def test_a_renamed_well_known_folder_keeps_its_kind(rig: Rig) -> None:
    with rig.source() as source:
        cursor = source.folders(None).cursor
        rig.rename_folder("Deleted Items", "Bin")
        (folder,) = source.folders(cursor).changed
        assert (folder.name, folder.kind) == ("Bin", FolderKind.DELETED)


def test_only_a_mail_folder_holds_mail(rig: Rig) -> None:
    rig.create_folder("Holidays", holds_mail=False)
    with rig.source() as source:
        folders = tree(source)
    assert "Holidays" not in folders or not folders["Holidays"].holds_mail
    assert folders["Inbox"].holds_mail


def test_the_total_of_a_folder_is_the_number_of_its_items(rig: Rig) -> None:
    for name in "ab":
        rig.deliver(mail(name))
    with rig.source() as source:
        totals = {path: folder.total for path, folder in tree(source).items()}
    assert (totals["Inbox"], totals["Sent Items"]) == (2, 0)


def test_an_unreported_email_is_in_the_total_and_in_the_next_listing(rig: Rig) -> None:
    known = rig.deliver(mail("a"))
    with rig.source() as source:
        cursor = start_of(source, inbox(source))
        missed = rig.deliver(mail("b"), reported=False)
        assert lines(source, inbox(source), cursor) == []
        assert tree(source)["Inbox"].total == 2
        assert {change.item_id for change in lines(source, inbox(source))} == {known, missed}


def test_an_unlisted_email_is_only_in_the_total(rig: Rig) -> None:
    known = rig.deliver(mail("a"))
    with rig.source() as source:
        cursor = start_of(source, inbox(source))
        rig.deliver(mail("b"), listed=False)
        assert lines(source, inbox(source), cursor) == []
        assert tree(source)["Inbox"].total == 2
        assert {change.item_id for change in lines(source, inbox(source))} == {known}
