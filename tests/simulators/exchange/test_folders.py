"""Folders of the simulated Exchange: what lies beside the mail folders, rights of a single folder, and hidden ones."""

from __future__ import annotations

import pytest
from lxml import etree

from simulators.exchange import mail_of
from simulators.exchange.soap import NS
from tests.mails import mail
from tests.simulators.exchange.conftest import Asker, get_item, sync_items

SHAPE = (
    "<m:FolderShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties>"
    '<t:FieldURI FieldURI="folder:DisplayName"/><t:FieldURI FieldURI="folder:FolderClass"/>'
    '<t:ExtendedFieldURI PropertyTag="0x10F4" PropertyType="Boolean"/>'
    "</t:AdditionalProperties></m:FolderShape>"
)


def hierarchy(top: str = "", state: str = "") -> str:
    """The body that asks for the tree below a well-known folder; without one, for all of it."""
    folder = f'<m:SyncFolderId><t:DistinguishedFolderId Id="{top}"/></m:SyncFolderId>' if top else ""
    after = f"<m:SyncState>{state}</m:SyncState>" if state else ""
    return f"<m:SyncFolderHierarchy>{SHAPE}{folder}{after}</m:SyncFolderHierarchy>"


def tree(asker: Asker, top: str = "", state: str = "") -> tuple[dict[str, etree._Element], str]:
    """The folders that were told, by name, and the state behind them."""
    root = etree.fromstring(asker.post(hierarchy(top, state)).content)
    names = root.iterfind(".//t:DisplayName", NS)
    found = {name.text or "": parent for name in names if (parent := name.getparent()) is not None}
    return found, root.findtext(".//m:SyncState", "", NS)


def test_the_root_of_the_store_holds_more_than_the_mail_folders_of_people(asker: Asker) -> None:
    asker.mailbox.create_folder("Inbox/Trades")
    mail_folders, _ = tree(asker, "msgfolderroot")
    everything, _ = tree(asker, "root")
    assert {"Inbox", "Trades", "Calendar"} <= mail_folders.keys()
    beside = everything.keys() - mail_folders.keys()
    assert {"Top of Information Store", "Finder", "Recoverable Items", "Deletions", "System"} <= beside
    assert everything["AllItems"].tag.endswith("}SearchFolder")


def test_without_a_folder_the_whole_store_is_told_and_then_what_changes_in_it(asker: Asker) -> None:
    everything, state = tree(asker)
    assert everything.keys() == tree(asker, "root")[0].keys()
    asker.mailbox.create_folder("Inbox/Trades")
    assert tree(asker, state=state)[0].keys() == {"Trades"}


def test_the_tree_below_a_folder_is_that_of_this_folder_alone(asker: Asker) -> None:
    asker.mailbox.create_folder("Inbox/Trades")
    found, state = tree(asker, "inbox")
    assert found.keys() == {"Trades"}
    asker.mailbox.move_folder("Inbox/Trades", "")
    root = etree.fromstring(asker.post(hierarchy("inbox", state)).content)
    assert len(root.findall(".//t:Delete", NS)) == 1


def test_a_hidden_folder_and_a_class_of_no_mail_are_told_as_what_they_are(asker: Asker) -> None:
    asker.mailbox.create_folder("Hidden", hidden=True)
    asker.mailbox.create_folder("Old mail", "IPF.Imap")
    found, state = tree(asker, "msgfolderroot")
    assert found["Hidden"].findtext("t:ExtendedProperty/t:Value", namespaces=NS) == "true"
    assert found["Old mail"].find("t:ExtendedProperty", NS) is None
    assert found["Old mail"].findtext("t:FolderClass", namespaces=NS) == "IPF.Imap"
    asker.mailbox.hide_folder("Old mail")
    later, _ = tree(asker, "msgfolderroot", state)
    assert later["Old mail"].findtext("t:ExtendedProperty/t:Value", namespaces=NS) == "true"


@pytest.mark.parametrize(
    ("code", "told"), [("ErrorItemNotFound", "ErrorItemNotFound"), ("ErrorFolderNotFound", "ErrorSyncFolderNotFound")]
)
def test_a_folder_may_be_seen_and_yet_be_said_not_to_be_there(asker: Asker, code: str, told: str) -> None:
    asker.mailbox.create_folder("Claims")
    item = asker.mailbox.deliver(mail_of(mail("a")), "Claims")
    asker.mailbox.forbid_folder("Claims", code=code)
    assert "Claims" in tree(asker, "msgfolderroot")[0]
    assert asker.codes(sync_items(asker.mailbox.folder("Claims").id)) == [told]
    assert asker.codes(get_item(item.id)) == ["ErrorItemNotFound"]
    asker.mailbox.forbid_folder("Claims", forbidden=False)
    assert asker.codes(sync_items(asker.mailbox.folder("Claims").id)) == ["NoError"]
