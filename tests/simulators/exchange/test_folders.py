"""Folders outside the mail folders of users, rights on single folders, and hidden folders."""

from __future__ import annotations

import pytest
from lxml import etree

from simulators.exchange import mail_of
from simulators.exchange.soap import NS
from tests.mails import mail
from tests.simulators.exchange.conftest import EwsClient, get_item, sync_items

SHAPE = (
    "<m:FolderShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties>"
    '<t:FieldURI FieldURI="folder:DisplayName"/><t:FieldURI FieldURI="folder:FolderClass"/>'
    '<t:ExtendedFieldURI PropertyTag="0x10F4" PropertyType="Boolean"/>'
    "</t:AdditionalProperties></m:FolderShape>"
)


def hierarchy(top: str = "", state: str = "") -> str:
    """Return the body of a SyncFolderHierarchy request. `top`: a distinguished folder; "" for the whole store."""
    folder = f'<m:SyncFolderId><t:DistinguishedFolderId Id="{top}"/></m:SyncFolderId>' if top else ""
    after = f"<m:SyncState>{state}</m:SyncState>" if state else ""
    return f"<m:SyncFolderHierarchy>{SHAPE}{folder}{after}</m:SyncFolderHierarchy>"


def tree(ews_client: EwsClient, top: str = "", state: str = "") -> tuple[dict[str, etree._Element], str]:
    """Return the reported folders by name, and the new sync state."""
    root = etree.fromstring(ews_client.post(hierarchy(top, state)).content)
    names = root.iterfind(".//t:DisplayName", NS)
    found = {name.text or "": parent for name in names if (parent := name.getparent()) is not None}
    return found, root.findtext(".//m:SyncState", "", NS)


def test_the_root_of_the_store_contains_more_than_the_mail_folders_of_users(ews_client: EwsClient) -> None:
    ews_client.mailbox.create_folder("Inbox/Trades")
    mail_folders, _ = tree(ews_client, "msgfolderroot")
    everything, _ = tree(ews_client, "root")
    assert {"Inbox", "Trades", "Calendar"} <= mail_folders.keys()
    beside = everything.keys() - mail_folders.keys()
    assert {"Top of Information Store", "Finder", "Recoverable Items", "Deletions", "System"} <= beside
    assert everything["AllItems"].tag.endswith("}SearchFolder")


def test_without_a_folder_the_whole_store_is_listed_and_then_its_changes(ews_client: EwsClient) -> None:
    everything, state = tree(ews_client)
    assert everything.keys() == tree(ews_client, "root")[0].keys()
    ews_client.mailbox.create_folder("Inbox/Trades")
    assert tree(ews_client, state=state)[0].keys() == {"Trades"}


def test_only_folders_below_the_requested_folder_are_reported(ews_client: EwsClient) -> None:
    ews_client.mailbox.create_folder("Inbox/Trades")
    found, state = tree(ews_client, "inbox")
    assert found.keys() == {"Trades"}
    ews_client.mailbox.move_folder("Inbox/Trades", "")
    root = etree.fromstring(ews_client.post(hierarchy("inbox", state)).content)
    assert len(root.findall(".//t:Delete", NS)) == 1


def test_hidden_folders_and_other_folder_classes_are_reported(ews_client: EwsClient) -> None:
    ews_client.mailbox.create_folder("Hidden", hidden=True)
    ews_client.mailbox.create_folder("Old mail", "IPF.Imap")
    found, state = tree(ews_client, "msgfolderroot")
    assert found["Hidden"].findtext("t:ExtendedProperty/t:Value", namespaces=NS) == "true"
    assert found["Old mail"].find("t:ExtendedProperty", NS) is None
    assert found["Old mail"].findtext("t:FolderClass", namespaces=NS) == "IPF.Imap"
    ews_client.mailbox.hide_folder("Old mail")
    later, _ = tree(ews_client, "msgfolderroot", state)
    assert later["Old mail"].findtext("t:ExtendedProperty/t:Value", namespaces=NS) == "true"


@pytest.mark.parametrize(
    ("code", "sync_code"),
    [("ErrorItemNotFound", "ErrorItemNotFound"), ("ErrorFolderNotFound", "ErrorSyncFolderNotFound")],
)
def test_a_folder_in_the_tree_can_be_reported_as_not_found(ews_client: EwsClient, code: str, sync_code: str) -> None:
    ews_client.mailbox.create_folder("Claims")
    item = ews_client.mailbox.deliver(mail_of(mail("a")), "Claims")
    ews_client.mailbox.forbid_folder("Claims", code=code)
    assert "Claims" in tree(ews_client, "msgfolderroot")[0]
    assert ews_client.codes(sync_items(ews_client.mailbox.folder("Claims").id)) == [sync_code]
    assert ews_client.codes(get_item(item.id)) == ["ErrorItemNotFound"]
    ews_client.mailbox.forbid_folder("Claims", forbidden=False)
    assert ews_client.codes(sync_items(ews_client.mailbox.folder("Claims").id)) == ["NoError"]
