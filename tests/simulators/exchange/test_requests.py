"""What a request has to hold, and how much an answer tells: parts, shapes, properties."""

from __future__ import annotations

import pytest
from lxml import etree

from simulators.exchange import mail_of
from tests.mails import mail
from tests.simulators.exchange.conftest import Asker, get_item, sync_items

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
def test_a_request_that_lacks_a_part_fails_as_a_whole(asker: Asker, body: str) -> None:
    assert asker.codes(body) == ["ErrorSchemaValidation"]


def test_a_listing_returns_only_what_it_can_find(asker: Asker) -> None:
    inbox = asker.mailbox.distinguished("inbox").id
    asker.mailbox.deliver(mail_of(mail("a")))
    cheap = ("item:Size", "item:DateTimeReceived", "item:ItemClass", "item:IsDraft", "message:InternetMessageId")
    assert asker.codes(sync_items(inbox, fields=cheap)) == ["NoError"]
    for field in ("item:MimeContent", "item:InternetMessageHeaders", "message:ReplyTo"):
        assert asker.codes(sync_items(inbox, fields=(field,))) == ["ErrorInvalidPropertyForOperation"]
    assert asker.codes(sync_items(inbox, fields=("item:Sizee",))) == ["ErrorSchemaValidation"]


def test_a_base_shape_beyond_ids_tells_all_there_is(asker: Asker) -> None:
    item = asker.mailbox.deliver(mail_of(mail("a", subject="RE: Trade 5")))
    everything = get_item(item.id).replace("IdOnly", "AllProperties")
    told = {
        element.tag.rpartition("}")[2]: element.text
        for element in etree.fromstring(asker.post(everything).content).iter()
    }
    assert (told["Subject"], told["ConversationTopic"]) == ("RE: Trade 5", "Trade 5")
    assert {"ItemClass", "Size", "Importance", "InternetMessageId", "IsRead"} <= set(told)


def test_only_the_properties_that_were_asked_for_are_told(asker: Asker) -> None:
    item = asker.mailbox.deliver(mail_of(mail("a")))
    content = asker.post(get_item(item.id)).content
    assert b"MimeContent" in content
    assert b"Subject" not in content
    assert b"InternetMessageId" not in content


def test_an_item_can_be_unreadable_for_a_while_and_in_one_mailbox_only(asker: Asker) -> None:
    item = asker.mailbox.deliver(mail_of(mail("a")))
    code = "ErrorMailboxStoreUnavailable"
    asker.exchange.faults.add("item", message_id=item.mail.message_id, code=code, mailbox="ops@bank.example")
    asker.exchange.faults.add("item", message_id=item.mail.message_id, code=code, after=1, times=2)
    assert [asker.codes(get_item(item.id))[0] for _ in range(4)] == ["NoError", code, code, "NoError"]
