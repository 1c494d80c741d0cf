"""A simulated Graph and Entra with an application and a service user. Exchange Online accepts the tokens of this Entra."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from cryptography.hazmat.primitives import serialization

from integrations.ews.connection import ConnectionSettings
from integrations.ews.connection import close_all as close_ews
from integrations.graph.connection import GraphSettings
from integrations.graph.connection import close_all as close_graph
from simulators.exchange import ExchangeSimulator, Store, mail_of
from simulators.graph import GraphSimulator, Registration, User
from simulators.http import Request, Response
from tests.mails import mail
from tests.simulators.graph.test_signing_in import Signer

ADDRESS, USER = "desk@bank.example", "svc@bank.example"
WAYS = ("oauth2", "certificate", "service_user")


@dataclass
class Cloud:
    graph: GraphSimulator
    exchange: ExchangeSimulator
    signer: Signer
    wire: list[tuple[Request, Response]] = field(default_factory=list)

    def labels(self) -> list[str]:
        return [response.label for _, response in self.wire]

    @property
    def key(self) -> str:
        private = serialization.PrivateFormat.PKCS8
        return self.signer.key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption()).decode()

    def entered(self, way: str) -> dict[str, str]:
        """Return the settings that an admin enters for this kind of sign-in."""
        common = {"auth": way, "tenant_id": "tenant", "client_id": "client", "authority": self.graph.authority_url}
        by_way = {
            "oauth2": {"client_secret": "s3cret"},
            "certificate": {"client_key": self.key, "client_certificate": self.signer.pem},
            "service_user": {"username": USER, "password": "pa55"},
        }
        return common | by_way[way]

    def for_graph(self, way: str, **changed: str) -> GraphSettings:
        entered = self.entered(way) | changed
        return GraphSettings("1", self.graph.url, ca_bundle=self.graph.ca, deadline=20.0, **entered)

    def for_ews(self, way: str, access: str, **changed: str) -> ConnectionSettings:
        return ConnectionSettings(
            "1",
            self.exchange.url("online"),
            access=access,
            build_version="15.20.9245.11",
            ca_bundle=self.exchange.ca,
            deadline=20.0,
            **(self.entered(way) | changed),
        )


@pytest.fixture(scope="session")
def signer() -> Signer:
    return Signer()


@pytest.fixture
def cloud(signer: Signer) -> Iterator[Cloud]:
    app = Registration(
        "tenant", "client", "s3cret", certificates=frozenset({signer.pem}), expired_secrets=frozenset({"old"})
    )
    user = User("tenant", USER, "pa55", delegate_of=frozenset({ADDRESS}))
    store = Store([ADDRESS])
    store[ADDRESS].deliver(mail_of(mail("a")))
    wire: list[tuple[Request, Response]] = []

    class Wire:
        def record(self, request: Request, response: Response) -> None:
            wire.append((request, response))

    with (
        GraphSimulator(store, registrations=[app], users=[user], recorder=Wire()) as graph,
        ExchangeSimulator(store, authority=graph._authority) as exchange,
    ):
        exchange.online.elsewhere = graph.entra.exchange_principal
        yield Cloud(graph, exchange, signer, wire)
        close_ews()
        close_graph()
