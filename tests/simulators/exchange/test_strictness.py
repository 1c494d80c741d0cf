"""Requests that the simulated Exchange refuses, so that a wrong request fails in tests and not at a customer."""

from __future__ import annotations

import pytest
from lxml import etree

from simulators.exchange import mail_of
from simulators.exchange.operations import WRITES
from tests.mails import mail
from tests.simulators.exchange.conftest import ADDRESS, OTHER, EwsClient, get_folder, get_item, sync_items


def test_an_unknown_operation_is_refused(ews_client: EwsClient) -> None:
    assert ews_client.codes("<m:GetUserAvailabilityRequest/>") == ["ErrorInvalidRequest"]


def test_a_write_is_refused_for_each_item_that_it_names(ews_client: EwsClient) -> None:
    ids = "".join(f'<t:ItemId Id="{ews_client.mailbox.deliver(mail_of(mail(name))).id}"/>' for name in "abc")
    codes = ews_client.codes(f'<m:DeleteItem DeleteType="HardDelete"><m:ItemIds>{ids}</m:ItemIds></m:DeleteItem>')
    assert codes == ["ErrorAccessDenied"] * 3
    assert len(list(ews_client.mailbox.items())) == 3


def test_every_write_operation_is_refused(ews_client: EwsClient) -> None:
    for operation in WRITES:
        assert ews_client.codes(f"<m:{operation}/>") == ["ErrorAccessDenied"]


@pytest.mark.parametrize(
    ("most", "code"),
    [(0, "ErrorSchemaValidation"), (1, "NoError"), (512, "NoError"), (513, "ErrorSchemaValidation")],
)
def test_only_a_request_for_1_to_512_changes_is_accepted(ews_client: EwsClient, most: int, code: str) -> None:
    inbox = ews_client.mailbox.distinguished("inbox").id
    assert ews_client.codes(sync_items(inbox, most=most)) == [code]


@pytest.mark.parametrize(
    "field", ["item:MimeContent", "item:Body", "message:ToRecipients", "item:InternetMessageHeaders"]
)
def test_properties_that_need_a_fetch_cannot_be_listed(ews_client: EwsClient, field: str) -> None:
    inbox = ews_client.mailbox.distinguished("inbox").id
    assert ews_client.codes(sync_items(inbox, fields=(field,))) == ["ErrorInvalidPropertyForOperation"]


def test_a_body_that_is_no_soap_is_refused(ews_client: EwsClient) -> None:
    for content in (b"", b"<a/>", b"nonsense", b"<a>"):
        assert ews_client.send(content).status_code == 500
    assert ews_client.exchange.requests == []


def test_another_content_type_is_refused(ews_client: EwsClient) -> None:
    assert ews_client.post(get_folder(), **{"Content-Type": "application/json"}).status_code == 415


def test_another_path_is_not_found(ews_client: EwsClient) -> None:
    url = ews_client.exchange.url().replace("/EWS/Exchange.asmx", "/EWS/Other.asmx")
    assert ews_client.client.post(url, content=b"").status_code == 401
    assert ews_client.client.post(url, content=b"", auth=ews_client.auth).status_code == 404
    assert ews_client.client.post(url.replace("/EWS/", "/elsewhere/"), content=b"").status_code == 404


# ---- mailbox ------------------------------------------------------------------------------------------------------


def test_an_item_of_another_mailbox_is_not_found(ews_client: EwsClient) -> None:
    theirs = ews_client.exchange.store[OTHER].deliver(mail_of(mail("a")))
    ours = ews_client.mailbox.deliver(mail_of(mail("b")))
    assert ews_client.codes(get_item(theirs.id, ours.id)) == ["ErrorItemNotFound", "NoError"]
    assert ews_client.codes(get_item(theirs.id), as_mailbox=OTHER) == ["NoError"]


def test_a_folder_of_another_mailbox_is_not_found(ews_client: EwsClient) -> None:
    theirs = ews_client.exchange.store[OTHER].distinguished("inbox").id
    assert ews_client.codes(sync_items(theirs)) == ["ErrorSyncFolderNotFound"]


def test_an_id_in_another_case_is_another_id(ews_client: EwsClient) -> None:
    item = ews_client.mailbox.deliver(mail_of(mail("a")))
    assert ews_client.codes(get_item(item.id[:4] + item.id[4:].swapcase())) == ["ErrorItemNotFound"]


def test_malformed_and_unknown_ids_have_different_errors(ews_client: EwsClient) -> None:
    item, inbox = ews_client.mailbox.deliver(mail_of(mail("a"))), ews_client.mailbox.distinguished("inbox").id
    other = item.id[:-8] + "AAAAAAAA"
    assert ews_client.codes(get_item("", "nonsense!", item.id[:-4], item.id, other, inbox)) == [
        "ErrorInvalidIdEmpty",
        "ErrorInvalidIdMalformed",
        "ErrorInvalidIdMalformed",
        "NoError",
        "ErrorItemNotFound",
        "ErrorCannotUseFolderIdForItemId",
    ]
    assert ews_client.codes(sync_items("nonsense!")) == ["ErrorInvalidIdMalformed"]
    assert ews_client.codes(sync_items(item.id)) == ["ErrorCannotUseItemIdForFolderId"]
    with_key = get_item(item.id).replace('"/></m:ItemIds>', '" ChangeKey="no key"/></m:ItemIds>')
    assert ews_client.codes(with_key) == ["ErrorInvalidChangeKey"]


def test_an_anchor_header_for_another_mailbox_is_refused(ews_client: EwsClient) -> None:
    assert ews_client.codes(get_folder(), **{"X-AnchorMailbox": OTHER}) == ["ErrorInvalidRequest"]
    assert ews_client.codes(get_folder(), **{"X-AnchorMailbox": ADDRESS.upper()}) == ["NoError"]


def test_an_account_impersonates_only_its_allowed_mailboxes(ews_client: EwsClient) -> None:
    ews_client.auth = ("BANK\\reader", "s3cret")
    assert ews_client.codes(get_folder()) == ["ErrorImpersonateUserDenied"]
    assert ews_client.codes(get_folder(), as_mailbox=OTHER) == ["NoError"]
    assert ews_client.codes(get_folder(), as_mailbox="nobody@bank.example") == ["ErrorNonExistentMailbox"]


def test_a_delegate_names_the_mailbox_and_reads_only_shared_mailboxes(ews_client: EwsClient) -> None:
    assert ews_client.codes(get_folder(mailbox=ADDRESS), as_mailbox=None) == ["NoError"]
    assert ews_client.codes(get_folder(mailbox=OTHER), as_mailbox=None) == ["ErrorAccessDenied"]
    assert ews_client.codes(get_folder(mailbox="nobody@bank.example"), as_mailbox=None) == ["ErrorNonExistentMailbox"]
    assert ews_client.codes(get_folder(), as_mailbox=None) == ["ErrorMissingEmailAddress"]


# ---- states -------------------------------------------------------------------------------------------------------


def state_of(ews_client: EwsClient, folder_id: str) -> str:
    return etree.fromstring(ews_client.post(sync_items(folder_id)).content).findtext(".//{*}SyncState") or ""


def test_a_state_belongs_to_its_folder_and_its_mailbox(ews_client: EwsClient) -> None:
    inbox, sent = (ews_client.mailbox.distinguished(name).id for name in ("inbox", "sentitems"))
    state = state_of(ews_client, inbox)
    assert len(state) > 600
    assert ews_client.codes(sync_items(inbox, state=state)) == ["NoError"]
    for damaged in (state[:-8], state[:40], "AAAA", "nonsense"):
        assert ews_client.codes(sync_items(inbox, state=damaged)) == ["ErrorInvalidSyncStateData"]
    assert ews_client.codes(sync_items(sent, state=state)) == ["ErrorInvalidSyncStateData"]
    ews_client.mailbox.expire_sync_states()
    assert ews_client.codes(sync_items(inbox, state=state)) == ["ErrorInvalidSyncStateData"]


# ---- faults -------------------------------------------------------------------------------------------------------


def test_an_item_that_cannot_be_read_hides_no_other_fault(ews_client: EwsClient) -> None:
    item = ews_client.mailbox.deliver(mail_of(mail("a")))
    ews_client.exchange.faults.add("item", item_id=item.id, code="ErrorItemCorrupt")
    ews_client.exchange.faults.add("busy", operation="GetFolder", times=1)
    assert ews_client.codes(get_item(item.id)) == ["ErrorItemCorrupt"]
    assert ews_client.codes(get_folder()) == ["ErrorServerBusy"]
    assert ews_client.codes(get_folder()) == ["NoError"]


def test_a_fault_can_be_for_one_mailbox_and_begin_later(ews_client: EwsClient) -> None:
    ews_client.exchange.faults.add("status", mailbox=OTHER, after=1, times=1, status=502)
    statuses = [ews_client.post(get_folder(), as_mailbox=who).status_code for who in (OTHER, ADDRESS, OTHER, OTHER)]
    assert statuses == [200, 200, 502, 200]
