"""What the simulated Exchange refuses: a mistake of a client must show here, not at a customer's."""

from __future__ import annotations

import pytest
from lxml import etree

from simulators.exchange import mail_of
from simulators.exchange.operations import WRITES
from tests.mails import mail
from tests.simulators.exchange.conftest import ADDRESS, OTHER, Asker, get_folder, get_item, sync_items


def test_an_operation_that_it_does_not_know_is_refused(asker: Asker) -> None:
    assert asker.codes("<m:GetUserAvailabilityRequest/>") == ["ErrorInvalidRequest"]


def test_a_write_is_refused_for_each_thing_that_it_names(asker: Asker) -> None:
    ids = "".join(f'<t:ItemId Id="{asker.mailbox.deliver(mail_of(mail(name))).id}"/>' for name in "abc")
    codes = asker.codes(f'<m:DeleteItem DeleteType="HardDelete"><m:ItemIds>{ids}</m:ItemIds></m:DeleteItem>')
    assert codes == ["ErrorAccessDenied"] * 3
    assert len(list(asker.mailbox.items())) == 3


def test_whatever_writes_is_refused(asker: Asker) -> None:
    for operation in WRITES:
        assert asker.codes(f"<m:{operation}/>") == ["ErrorAccessDenied"]


@pytest.mark.parametrize(
    ("most", "code"),
    [(0, "ErrorSchemaValidation"), (1, "NoError"), (512, "NoError"), (513, "ErrorSchemaValidation")],
)
def test_a_page_holds_from_1_to_512_changes(asker: Asker, most: int, code: str) -> None:
    inbox = asker.mailbox.distinguished("inbox").id
    assert asker.codes(sync_items(inbox, most=most)) == [code]


@pytest.mark.parametrize(
    "field", ["item:MimeContent", "item:Body", "message:ToRecipients", "item:InternetMessageHeaders"]
)
def test_what_only_a_fetch_returns_cannot_be_listed(asker: Asker, field: str) -> None:
    inbox = asker.mailbox.distinguished("inbox").id
    assert asker.codes(sync_items(inbox, fields=(field,))) == ["ErrorInvalidPropertyForOperation"]


def test_a_body_that_is_no_soap_is_refused(asker: Asker) -> None:
    for content in (b"", b"<a/>", b"nonsense", b"<a>"):
        assert asker.send(content).status_code == 500
    assert asker.exchange.requests == []


def test_another_content_type_is_refused(asker: Asker) -> None:
    assert asker.post(get_folder(), **{"Content-Type": "application/json"}).status_code == 415


def test_another_path_is_not_found(asker: Asker) -> None:
    url = asker.exchange.url().replace("/EWS/Exchange.asmx", "/EWS/Other.asmx")
    assert asker.client.post(url, content=b"").status_code == 401
    assert asker.client.post(url, content=b"", auth=asker.auth).status_code == 404
    assert asker.client.post(url.replace("/EWS/", "/elsewhere/"), content=b"").status_code == 404


# ---- whose mailbox ------------------------------------------------------------------------------------------------


def test_an_item_of_another_mailbox_is_not_found(asker: Asker) -> None:
    theirs = asker.exchange.store[OTHER].deliver(mail_of(mail("a")))
    ours = asker.mailbox.deliver(mail_of(mail("b")))
    assert asker.codes(get_item(theirs.id, ours.id)) == ["ErrorItemNotFound", "NoError"]
    assert asker.codes(get_item(theirs.id), as_mailbox=OTHER) == ["NoError"]


def test_a_folder_of_another_mailbox_is_not_found(asker: Asker) -> None:
    theirs = asker.exchange.store[OTHER].distinguished("inbox").id
    assert asker.codes(sync_items(theirs)) == ["ErrorSyncFolderNotFound"]


def test_an_id_in_another_case_is_another_id(asker: Asker) -> None:
    item = asker.mailbox.deliver(mail_of(mail("a")))
    assert asker.codes(get_item(item.id[:4] + item.id[4:].swapcase())) == ["ErrorItemNotFound"]


def test_an_id_that_cannot_be_one_is_told_from_one_that_names_nothing(asker: Asker) -> None:
    item, inbox = asker.mailbox.deliver(mail_of(mail("a"))), asker.mailbox.distinguished("inbox").id
    other = item.id[:-8] + "AAAAAAAA"
    assert asker.codes(get_item("", "nonsense!", item.id[:-4], item.id, other, inbox)) == [
        "ErrorInvalidIdEmpty",
        "ErrorInvalidIdMalformed",
        "ErrorInvalidIdMalformed",
        "NoError",
        "ErrorItemNotFound",
        "ErrorCannotUseFolderIdForItemId",
    ]
    assert asker.codes(sync_items("nonsense!")) == ["ErrorInvalidIdMalformed"]
    assert asker.codes(sync_items(item.id)) == ["ErrorCannotUseItemIdForFolderId"]
    with_key = get_item(item.id).replace('"/></m:ItemIds>', '" ChangeKey="no key"/></m:ItemIds>')
    assert asker.codes(with_key) == ["ErrorInvalidChangeKey"]


def test_an_anchor_for_another_mailbox_is_refused(asker: Asker) -> None:
    assert asker.codes(get_folder(), **{"X-AnchorMailbox": OTHER}) == ["ErrorInvalidRequest"]
    assert asker.codes(get_folder(), **{"X-AnchorMailbox": ADDRESS.upper()}) == ["NoError"]


def test_impersonation_is_only_of_mailboxes_that_the_account_may(asker: Asker) -> None:
    asker.auth = ("BANK\\reader", "s3cret")
    assert asker.codes(get_folder()) == ["ErrorImpersonateUserDenied"]
    assert asker.codes(get_folder(), as_mailbox=OTHER) == ["NoError"]
    assert asker.codes(get_folder(), as_mailbox="nobody@bank.example") == ["ErrorNonExistentMailbox"]


def test_a_delegate_names_the_mailbox_and_reads_only_what_was_shared(asker: Asker) -> None:
    assert asker.codes(get_folder(mailbox=ADDRESS), as_mailbox=None) == ["NoError"]
    assert asker.codes(get_folder(mailbox=OTHER), as_mailbox=None) == ["ErrorAccessDenied"]
    assert asker.codes(get_folder(mailbox="nobody@bank.example"), as_mailbox=None) == ["ErrorNonExistentMailbox"]
    assert asker.codes(get_folder(), as_mailbox=None) == ["ErrorMissingEmailAddress"]


# ---- states -------------------------------------------------------------------------------------------------------


def state_of(asker: Asker, folder_id: str) -> str:
    return etree.fromstring(asker.post(sync_items(folder_id)).content).findtext(".//{*}SyncState") or ""


def test_a_state_belongs_to_its_folder_and_its_mailbox(asker: Asker) -> None:
    inbox, sent = (asker.mailbox.distinguished(name).id for name in ("inbox", "sentitems"))
    state = state_of(asker, inbox)
    assert len(state) > 600
    assert asker.codes(sync_items(inbox, state=state)) == ["NoError"]
    for damaged in (state[:-8], state[:40], "AAAA", "nonsense"):
        assert asker.codes(sync_items(inbox, state=damaged)) == ["ErrorInvalidSyncStateData"]
    assert asker.codes(sync_items(sent, state=state)) == ["ErrorInvalidSyncStateData"]
    asker.mailbox.expire_sync_states()
    assert asker.codes(sync_items(inbox, state=state)) == ["ErrorInvalidSyncStateData"]


# ---- faults -------------------------------------------------------------------------------------------------------


def test_an_item_that_cannot_be_read_hides_no_other_fault(asker: Asker) -> None:
    item = asker.mailbox.deliver(mail_of(mail("a")))
    asker.exchange.faults.add("item", item_id=item.id, code="ErrorItemCorrupt")
    asker.exchange.faults.add("busy", operation="GetFolder", times=1)
    assert asker.codes(get_item(item.id)) == ["ErrorItemCorrupt"]
    assert asker.codes(get_folder()) == ["ErrorServerBusy"]
    assert asker.codes(get_folder()) == ["NoError"]


def test_a_fault_can_be_for_one_mailbox_and_begin_later(asker: Asker) -> None:
    asker.exchange.faults.add("status", mailbox=OTHER, after=1, times=1, status=502)
    statuses = [asker.post(get_folder(), as_mailbox=who).status_code for who in (OTHER, ADDRESS, OTHER, OTHER)]
    assert statuses == [200, 200, 502, 200]
