"""Tests of the paths and kinds of folders."""

from integrations.messages import Folder, FolderId, FolderKind
from sync.engine.folder_paths import positions


def folder(name, parent=None, kind=FolderKind.ORDINARY):
    return Folder(FolderId(name), FolderId(parent) if parent else None, name, kind)


def test_a_path_begins_at_the_mailbox_root():
    by_id = positions([folder("Inbox"), folder("Trades", "Inbox"), folder("2026", "Trades")])
    assert by_id[FolderId("2026")].path == ("Inbox", "Trades", "2026")


def test_a_parent_that_is_not_listed_is_the_root():
    assert positions([folder("Inbox", "msgfolderroot")])[FolderId("Inbox")].path == ("Inbox",)


def test_a_folder_in_the_deleted_items_also_has_their_kind():
    by_id = positions([folder("Papierkorb", kind=FolderKind.DELETED), folder("Projekt", "Papierkorb")])
    assert FolderKind.DELETED in by_id[FolderId("Projekt")].kinds


def test_a_cycle_in_the_tree_causes_no_endless_loop():
    assert positions([folder("a", "b"), folder("b", "a")])[FolderId("a")].path
