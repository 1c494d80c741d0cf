"""A simulated Exchange with two mailboxes. The tests send hand-written SOAP with httpx, not with the product's client."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest
from lxml import etree

from simulators.exchange import Account, Application, ExchangeSimulator, Store
from simulators.exchange.soap import MESSAGES, NS, SOAP, TYPES
from simulators.exchange.store import Mailbox

ADDRESS = "desk@bank.example"
OTHER = "ops@bank.example"


@dataclass
class EwsClient:
    """A client of the simulator that authenticates with Basic and impersonates a mailbox."""

    exchange: ExchangeSimulator
    client: httpx.Client
    auth: tuple[str, str] = ("BANK\\svc", "s3cret")
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "text/xml; charset=utf-8"})

    @property
    def mailbox(self) -> Mailbox:
        return self.exchange.store[ADDRESS]

    def post(self, body: str, *, as_mailbox: str | None = ADDRESS, **headers: str) -> httpx.Response:
        sid = f"<t:PrimarySmtpAddress>{as_mailbox}</t:PrimarySmtpAddress>"
        impersonation = f"<t:ExchangeImpersonation><t:ConnectingSID>{sid}</t:ConnectingSID></t:ExchangeImpersonation>"
        envelope = (
            f'<s:Envelope xmlns:s="{SOAP}" xmlns:m="{MESSAGES}" xmlns:t="{TYPES}"><s:Header>'
            f'<t:RequestServerVersion Version="Exchange2016"/>{impersonation if as_mailbox else ""}</s:Header>'
            f"<s:Body>{body}</s:Body></s:Envelope>"
        )
        return self.send(envelope.encode(), **headers)

    def send(self, content: bytes, **headers: str) -> httpx.Response:
        return self.client.post(
            self.exchange.url(), content=content, headers={**self.headers, **headers}, auth=self.auth
        )

    def codes(self, body: str, *, as_mailbox: str | None = ADDRESS, **headers: str) -> list[str]:
        """Return the codes of all response messages, or only the code of the fault."""
        root = etree.fromstring(self.post(body, as_mailbox=as_mailbox, **headers).content)
        fault = root.findtext("s:Body/s:Fault/faultcode", namespaces=NS)
        return (
            [fault.partition(":")[2]]
            if fault
            else [found.text or "" for found in root.iterfind(".//m:ResponseCode", NS)]
        )


@pytest.fixture
def ews_client() -> Iterator[EwsClient]:
    accounts = [
        Account("BANK\\svc", "s3cret", delegate_of=frozenset({ADDRESS})),
        Account("BANK\\reader", "s3cret", impersonates=frozenset({OTHER}), delegate_of=frozenset({OTHER})),
    ]
    applications = [Application("tenant", "client", "s3cret")]
    with ExchangeSimulator(Store([ADDRESS, OTHER]), accounts=accounts, applications=applications) as exchange:
        trust = ssl.create_default_context(cadata=exchange.ca)
        with httpx.Client(verify=trust, trust_env=False) as client:
            yield EwsClient(exchange, client)


def sync_items(folder_id: str, *, most: int = 10, state: str = "", fields: tuple[str, ...] = ()) -> str:
    wanted = "".join(f'<t:FieldURI FieldURI="{field}"/>' for field in fields)
    return (
        "<m:SyncFolderItems><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape>"
        f"<t:AdditionalProperties>{wanted}</t:AdditionalProperties></m:ItemShape>"
        f'<m:SyncFolderId><t:FolderId Id="{folder_id}"/></m:SyncFolderId>'
        + (f"<m:SyncState>{state}</m:SyncState>" if state else "")
        + f"<m:MaxChangesReturned>{most}</m:MaxChangesReturned></m:SyncFolderItems>"
    )


def get_item(*item_ids: str) -> str:
    ids = "".join(f'<t:ItemId Id="{item_id}"/>' for item_id in item_ids)
    shape = "<t:BaseShape>IdOnly</t:BaseShape><t:IncludeMimeContent>true</t:IncludeMimeContent>"
    return f"<m:GetItem><m:ItemShape>{shape}</m:ItemShape><m:ItemIds>{ids}</m:ItemIds></m:GetItem>"


def get_folder(name: str = "inbox", *, mailbox: str = "") -> str:
    mailbox_xml = f"<t:Mailbox><t:EmailAddress>{mailbox}</t:EmailAddress></t:Mailbox>" if mailbox else ""
    return (
        "<m:GetFolder><m:FolderShape><t:BaseShape>Default</t:BaseShape></m:FolderShape><m:FolderIds>"
        f'<t:DistinguishedFolderId Id="{name}">{mailbox_xml}</t:DistinguishedFolderId></m:FolderIds></m:GetFolder>'
    )
