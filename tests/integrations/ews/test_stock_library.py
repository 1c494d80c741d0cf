"""The service classes of this product return the same ids, values and MIME as those of exchangelib."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from exchangelib import IMPERSONATION, Account, Configuration, Credentials, Version
from exchangelib.folders import Folder, FolderId, Root
from exchangelib.protocol import BaseProtocol
from exchangelib.transport import NTLM
from exchangelib.version import Build
from requests.adapters import HTTPAdapter

from integrations.messages import Change, ChangeKind, Email
from simulators.exchange import correspondence, mail_of
from simulators.exchange.store import NON_IPM
from tests.integrations.ews.conftest import World

FIELDS = ("item_class", "message_id", "datetime_received", "size", "is_draft")
KINDS = {"create": ChangeKind.CREATED, "update": ChangeKind.UPDATED}


@pytest.fixture
def account(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """An unmodified account of exchangelib, which trusts the certificate authority of the simulator."""
    file = world.exchange.ca_file()

    class Trusting(HTTPAdapter):
        def cert_verify(self, conn: object, url: str, verify: object, cert: object) -> None:
            super().cert_verify(conn, url, str(file), cert)

    monkeypatch.setattr(BaseProtocol, "HTTP_ADAPTER_CLS", Trusting)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(file))
    config = Configuration(
        service_endpoint=world.exchange.url(),
        credentials=Credentials("BANK\\svc", "s3cret"),
        auth_type=NTLM,
        version=Version(Build(15, 1, 2507, 39)),
    )
    account = Account(world.mailbox.address, config=config, autodiscover=False, access_type=IMPERSONATION)
    yield account
    account.protocol.close()
    file.unlink()


def stock_changes(account: Account, folder_id: str, state: str | None) -> list[tuple[ChangeKind, object]]:
    folder = Folder(root=Root(account=account, _id=FolderId("root")), _id=FolderId(folder_id))
    return [
        (KINDS.get(kind) or (ChangeKind.DELETED if kind == "delete" else ChangeKind.READ), item)
        for kind, item in folder.sync_items(sync_state=state, only_fields=FIELDS)
    ]


def of_stock(kind: ChangeKind, item: object, folder: str) -> Change:
    """Convert a change of exchangelib to a `Change`."""
    if kind is ChangeKind.READ:
        return Change(kind, folder, item[0].id)  # type: ignore[index, arg-type]
    if kind is ChangeKind.DELETED:
        return Change(kind, folder, item.id)  # type: ignore[attr-defined, arg-type]
    return Change(
        kind=kind,
        folder_id=folder,  # type: ignore[arg-type]
        item_id=item.id,  # type: ignore[attr-defined]
        change_key=item.changekey,  # type: ignore[attr-defined]
        item_class=item.item_class,  # type: ignore[attr-defined]
        message_id=item.message_id or "",  # type: ignore[attr-defined]
        received=item.datetime_received,  # type: ignore[attr-defined]
        size=item.size,  # type: ignore[attr-defined]
        draft=item.is_draft,  # type: ignore[attr-defined]
    )


def test_a_listing_and_the_changes_after_it_are_the_same(world: World, account: Account) -> None:
    for written in itertools.islice(correspondence(world.mailbox.address, 5), 40):
        world.mailbox.deliver(mail_of(written.mime))
    source = world.source()
    ours = world.listed(source)
    assert ours == [of_stock(kind, item, world.inbox()) for kind, item in stock_changes(account, world.inbox(), None)]
    cursor = list(source.changes(world.inbox(), None))[-1].cursor
    world.mailbox.mark_read(ours[0].item_id)
    world.mailbox.edit(ours[1].item_id, mail_of(b"Subject: other\r\n\r\nwords"))
    world.mailbox.delete(ours[2].item_id)
    world.deliver("new")
    later = [change for page in source.changes(world.inbox(), cursor) for change in page.changes]
    stock = [of_stock(kind, item, world.inbox()) for kind, item in stock_changes(account, world.inbox(), cursor)]
    assert later == stock
    assert {change.kind for change in later} == set(ChangeKind)


def test_the_mail_and_its_details_are_the_same(world: World, account: Account) -> None:
    for written in itertools.islice(correspondence(world.mailbox.address, 6), 40):
        world.mailbox.deliver(mail_of(written.mime))
    source = world.source()
    listed = world.listed(source)
    emails = [email for email in source.fetch(listed) if isinstance(email, Email)]
    account.root = Root(account=account, _id=FolderId("root"))
    fields = [
        "mime_content",
        "item_class",
        "datetime_received",
        "size",
        "importance",
        "sensitivity",
        "conversation_topic",
    ]
    stock = list(account.fetch([(change.item_id, None) for change in listed], only_fields=fields))
    assert len(emails) == len(stock) == 40
    for email, item in zip(emails, stock, strict=True):
        assert email.mime == item.mime_content
        assert email.change.change_key == item.changekey
        details = email.details
        assert (details.size, details.item_class, details.importance) == (item.size, item.item_class, item.importance)
        assert (details.sensitivity, details.conversation_topic) == (item.sensitivity, item.conversation_topic)
        assert details.received == item.datetime_received


def test_exchangelib_lists_the_whole_store_and_this_product_only_the_folders_of_users(
    world: World, account: Account
) -> None:
    world.mailbox.create_folder("Old mail", "IPF.Imap")
    walked = {folder.name for folder in account.root.walk()}
    hierarchy = {folder.name for _, folder in account.root.sync_hierarchy()}
    ours = {folder.name for folder in world.source().folders(None).changed}
    assert walked == hierarchy
    assert hierarchy - ours == {"Top of Information Store", *(name for name, *_ in NON_IPM)}
    assert {"Inbox", "Old mail"} <= ours
