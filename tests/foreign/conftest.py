"""Simulators for all third-party clients: Exchange and Graph with the same mailboxes, and Re:infer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from simulators.exchange import Account, ExchangeSimulator, Store
from simulators.exchange.tls import Authority
from simulators.graph import GraphSimulator, Registration
from simulators.reinfer import ReinferSimulator
from tests.foreign.mailboxes import DESK, OPS, filled

PASSWORD = "correct horse"
SECRET = "application secret"


@dataclass(frozen=True)
class Served:
    """The simulators, and a PEM file with the certificate authority that a client must trust."""

    store: Store
    exchange: ExchangeSimulator
    graph: GraphSimulator
    reinfer: ReinferSimulator
    ca_file: Path
    registration: Registration


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    store, authority = filled(), Authority()
    accounts = [Account("BANK\\svc", PASSWORD, delegate_of=frozenset({DESK, OPS}))]
    registration = Registration("tenant", "client", SECRET, permissions=frozenset({"Mail.Read", "User.Read.All"}))
    exchange = ExchangeSimulator(store, accounts=accounts, applications=[registration], authority=authority)
    graph = GraphSimulator(store, registrations=[registration], authority=authority)
    with exchange, graph, ReinferSimulator() as reinfer:
        ca_file = exchange.ca_file()
        try:
            yield Served(store, exchange, graph, reinfer, ca_file, registration)
        finally:
            ca_file.unlink()
