"""Paths and kinds of folders."""

from integrations.messages import Folder, FolderId, FolderKind
from sync.engine.folder_paths import positions


def folder(name, parent=None, kind=FolderKind.ORDINARY):
    return Folder(FolderId(name), FolderId(parent) if parent else None, name, kind)


def test_a_path_runs_from_the_mailbox_root():
    found = positions([folder("Inbox"), folder("Trades", "Inbox"), folder("2026", "Trades")])
    assert found[FolderId("2026")].path == ("Inbox", "Trades", "2026")


def test_a_parent_that_nobody_listed_is_the_root():
    assert positions([folder("Inbox", "msgfolderroot")])[FolderId("Inbox")].path == ("Inbox",)


def test_a_folder_in_the_deleted_items_knows_it():
    found = positions([folder("Papierkorb", kind=FolderKind.DELETED), folder("Projekt", "Papierkorb")])
    assert FolderKind.DELETED in found[FolderId("Projekt")].kinds


def test_a_cycle_ends():
    assert positions([folder("a", "b"), folder("b", "a")])[FolderId("a")].path
