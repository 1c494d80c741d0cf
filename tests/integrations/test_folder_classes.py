"""Which folders are read, by their class. The table of classes is compared with exchangelib and the documentation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from exchangelib.folders import known_folders

from integrations import folder_classes
from integrations.folder_classes import OTHER_CLASSES, holds_mail, read_since, why_not_read
from mailboxes import rules_versions

ROW = re.compile(r"^\| `([^`]+)` \| ([^|]+) \| \[[^\]]+\]\(([^)]+)\) \|$", re.M)
DOCS = Path(__file__).parents[2] / "docs" / "folders.md"


@pytest.mark.parametrize(
    "folder_class",
    [
        *("IPF.Note", "ipf.note", "IPF.Note.Microsoft.Conversation", "IPF.Note.OutlookHomepage"),
        *("", "IPF", "IPF.Imap", "IPF.IMAP", "IPF.Whatever", "IPF.Notes", "IPF.TaskForce", "Something"),
    ],
)
def test_a_folder_of_mail_or_of_an_unknown_class_is_read(folder_class: str) -> None:
    assert holds_mail(folder_class)


@pytest.mark.parametrize(
    "folder_class",
    [
        *("IPF.Appointment", "IPF.Appointment.Birthday", "ipf.contact", "IPF.Contact.MOC.QuickContacts", "IPF.Task"),
        *("IPF.Journal", "IPF.StickyNote", "IPF.Configuration", "IPF.ShortcutFolder", "Outlook.Reminder"),
        *("IPF.Files", "IPF.SkypeTeams.Message", "IPF.StoreItem.Signal"),
    ],
)
def test_a_folder_of_a_class_without_mail_is_not_read(folder_class: str) -> None:
    assert not holds_mail(folder_class)
    assert why_not_read(folder_class, hidden=False).startswith("contains ")


def test_every_class_without_mail_in_exchangelib_is_in_the_table() -> None:
    known = {getattr(one, "CONTAINER_CLASS", None) for one in vars(known_folders).values() if isinstance(one, type)}
    mail = {None, "IPF"}
    others = {name for name in known - mail if not name.startswith("IPF.Note")}
    assert len(others) > 20
    assert not {name for name in others if holds_mail(name)}


def test_the_first_version_of_the_fixed_rules_that_reads_a_class_is_known() -> None:
    assert {read_since(name) for name in ("", "IPF.Note", "IPF.Note.Custom")} == {1}
    assert {read_since(name) for name in ("IPF.Imap", "IPF", "IPF.Vendor")} == {2}


def test_the_current_fixed_rules_include_the_rule_for_folder_classes() -> None:
    assert rules_versions.current() >= folder_classes.VERSION


def test_an_unread_folder_is_hidden_contains_other_items_or_is_a_search_folder() -> None:
    assert why_not_read("IPF.Note", hidden=True) == "hidden: no mail client shows it"
    assert why_not_read("IPF.Appointment", hidden=False) == "contains appointments"
    assert why_not_read("IPF.Note", hidden=False).startswith("a search folder")


def test_the_documentation_contains_the_table_of_classes() -> None:
    rows = ROW.findall(DOCS.read_text())
    assert rows == [(one.name, one.holds, one.source) for one in OTHER_CLASSES]
