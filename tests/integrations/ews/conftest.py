"""An Exchange simulator over real sockets for each test file, and a new mailbox for each test."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from integrations.ews.connection import ConnectionSettings, close_all
from integrations.ews.source import ExchangeSource
from integrations.messages import Change, FolderId
from simulators.exchange import Account, Application, ExchangeSimulator, mail_of
from simulators.exchange.store import Item, Mailbox
from simulators.http import Request, Response
from tests.contract.source_rigs import ADDRESSES, settings_for
from tests.mails import mail

NUMBERS = itertools.count()


@dataclass
class Wire:
    """A recorder of all requests and their responses."""

    seen: list[tuple[Request, Response]] = field(default_factory=list)

    def record(self, request: Request, response: Response) -> None:
        self.seen.append((request, response))

    def statuses(self) -> list[int]:
        return [response.status for _, response in self.seen]

    def labels(self) -> list[str]:
        return [response.label for _, response in self.seen]


@dataclass
class World:
    """An Exchange simulator, a new mailbox in it, and a recorder of the requests."""

    exchange: ExchangeSimulator
    wire: Wire
    mailbox: Mailbox

    def settings(self, way: str = "NTLM, impersonation") -> ConnectionSettings:
        return settings_for(self.exchange, way)

    def source(self, settings: ConnectionSettings | None = None, *, page_size: int = 512) -> ExchangeSource:
        return ExchangeSource(settings or self.settings(), self.mailbox.address, page_size=page_size)

    def deliver(self, name: str, path: str = "Inbox") -> Item:
        return self.mailbox.deliver(mail_of(mail(name)), path)

    def inbox(self) -> FolderId:
        return FolderId(self.mailbox.distinguished("inbox").id)

    def listed(self, source: ExchangeSource) -> list[Change]:
        return [change for page in source.changes(self.inbox(), None) for change in page.changes]

    def operations(self) -> list[str]:
        """Return the EWS operations of all requests since the start of the test or the last `forget`."""
        return self.exchange.operations

    def forget(self) -> None:
        """Clear the recorded requests."""
        self.exchange.requests.clear()
        self.wire.seen.clear()


@pytest.fixture(scope="module")
def _exchange() -> Iterator[tuple[ExchangeSimulator, Wire]]:
    wire = Wire()
    accounts = [
        Account("BANK\\svc", "s3cret", delegate_of=frozenset(ADDRESSES)),
        Account("BANK\\reader", "s3cret", impersonates=frozenset(), delegate_of=frozenset(ADDRESSES)),
    ]
    applications = [Application("tenant", "client", "s3cret")]
    with ExchangeSimulator(accounts=accounts, applications=applications, recorder=wire) as exchange:
        yield exchange, wire


@pytest.fixture
def world(_exchange: tuple[ExchangeSimulator, Wire]) -> Iterator[World]:
    exchange, wire = _exchange
    world = World(exchange, wire, exchange.store.add(ADDRESSES[next(NUMBERS) % len(ADDRESSES)]))
    world.forget()
    yield world
    close_all()
    exchange.faults.clear()
    exchange.online.lifetime = 3600.0
