"""Required elements of requests, and the properties in responses."""

from __future__ import annotations

import pytest
from lxml import etree

from simulators.exchange import mail_of
from tests.mails import mail
from tests.simulators.exchange.conftest import EwsClient, get_item, sync_items

IDS_ONLY = "<t:BaseShape>IdOnly</t:BaseShape>"
INBOX = '<t:DistinguishedFolderId Id="inbox"/>'


@pytest.mark.parametrize(
    "body",
    [
        "<m:GetItem/>",
        '<m:GetItem><m:ItemIds><t:ItemId Id="x"/></m:ItemIds></m:GetItem>',
        f"<m:GetItem><m:ItemShape>{IDS_ONLY}</m:ItemShape><m:ItemIds/></m:GetItem>",
        '<m:GetItem><m:ItemShape/><m:ItemIds><t:ItemId Id="x"/></m:ItemIds></m:GetItem>',
        f'<m:GetItem><m:ItemIds><t:ItemId Id="x"/></m:ItemIds><m:ItemShape>{IDS_ONLY}</m:ItemShape></m:GetItem>',
        f"<m:GetFolder><m:FolderIds>{INBOX}</m:FolderIds></m:GetFolder>",
        "<m:GetFolder><m:FolderShape><t:BaseShape>Much</t:BaseShape></m:FolderShape>"
        f"<m:FolderIds>{INBOX}</m:FolderIds></m:GetFolder>",
        "<m:SyncFolderHierarchy/>",
        f"<m:SyncFolderItems><m:ItemShape>{IDS_ONLY}</m:ItemShape><m:SyncFolderId>{INBOX}</m:SyncFolderId>"
        "</m:SyncFolderItems>",
        f"<m:SyncFolderItems><m:ItemShape>{IDS_ONLY}</m:ItemShape><m:SyncFolderId>{INBOX}</m:SyncFolderId>"
        "<m:MaxChangesReturned>many</m:MaxChangesReturned></m:SyncFolderItems>",
        f"<m:SyncFolderItems><m:ItemShape>{IDS_ONLY}</m:ItemShape><m:SyncFolderId/>"
        "<m:MaxChangesReturned>5</m:MaxChangesReturned></m:SyncFolderItems>",
    ],
)
def test_a_request_without_a_required_element_fails(ews_client: EwsClient, body: str) -> None:
    assert ews_client.codes(body) == ["ErrorSchemaValidation"]


def test_a_listing_refuses_properties_that_it_cannot_return(ews_client: EwsClient) -> None:
    inbox = ews_client.mailbox.distinguished("inbox").id
    ews_client.mailbox.deliver(mail_of(mail("a")))
    cheap = ("item:Size", "item:DateTimeReceived", "item:ItemClass", "item:IsDraft", "message:InternetMessageId")
    assert ews_client.codes(sync_items(inbox, fields=cheap)) == ["NoError"]
    for field in ("item:MimeContent", "item:InternetMessageHeaders", "message:ReplyTo"):
        assert ews_client.codes(sync_items(inbox, fields=(field,))) == ["ErrorInvalidPropertyForOperation"]
    assert ews_client.codes(sync_items(inbox, fields=("item:Sizee",))) == ["ErrorSchemaValidation"]


def test_the_shape_all_properties_returns_all_properties(ews_client: EwsClient) -> None:
    item = ews_client.mailbox.deliver(mail_of(mail("a", subject="RE: Trade 5")))
    everything = get_item(item.id).replace("IdOnly", "AllProperties")
    values = {
        element.tag.rpartition("}")[2]: element.text
        for element in etree.fromstring(ews_client.post(everything).content).iter()
    }
    assert (values["Subject"], values["ConversationTopic"]) == ("RE: Trade 5", "Trade 5")
    assert {"ItemClass", "Size", "Importance", "InternetMessageId", "IsRead"} <= set(values)


def test_only_the_requested_properties_are_returned(ews_client: EwsClient) -> None:
    item = ews_client.mailbox.deliver(mail_of(mail("a")))
    content = ews_client.post(get_item(item.id)).content
    assert b"MimeContent" in content
    assert b"Subject" not in content
    assert b"InternetMessageId" not in content


def test_an_item_can_be_unreadable_for_a_while_and_in_one_mailbox_only(ews_client: EwsClient) -> None:
    item = ews_client.mailbox.deliver(mail_of(mail("a")))
    code = "ErrorMailboxStoreUnavailable"
    ews_client.exchange.faults.add("item", message_id=item.mail.message_id, code=code, mailbox="ops@bank.example")
    ews_client.exchange.faults.add("item", message_id=item.mail.message_id, code=code, after=1, times=2)
    assert [ews_client.codes(get_item(item.id))[0] for _ in range(4)] == ["NoError", code, code, "NoError"]
