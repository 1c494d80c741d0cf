"""A Graph simulator over real sockets for each test file, and a new mailbox for each test."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from integrations import errors
from integrations.graph.connection import GraphSettings, close_all
from integrations.graph.source import GraphSource
from integrations.messages import Change, ChangePage, Cursor, FolderId, FolderKind
from simulators.exchange import Store, mail_of
from simulators.exchange.store import Item, Mailbox
from simulators.exchange.tls import Authority
from simulators.graph import GraphSimulator, Registration, User
from simulators.graph.discovery import openid_configuration
from simulators.graph.errors import as_json
from simulators.http import HttpServer, Request, Response
from tests.mails import NOON, mail

NUMBERS = itertools.count()


@dataclass
class World:
    graph: GraphSimulator
    mailbox: Mailbox
    wire: list[tuple[Request, Response]] = field(default_factory=list)

    @property
    def settings(self) -> GraphSettings:
        return GraphSettings(
            "1", self.graph.url, "oauth2", tenant_id="tenant", client_id="client", client_secret="s3cret",
            authority=self.graph.authority_url, ca_bundle=self.graph.ca, deadline=20.0,
        )  # fmt: skip

    def source(self, *, page_size: int = 512, **changed: object) -> GraphSource:
        return GraphSource(replace(self.settings, **changed), self.mailbox.address, page_size=page_size)  # type: ignore[arg-type]

    def deliver(self, *names: str) -> list[Item]:
        """Deliver emails whose times of receipt are one minute apart."""
        return [
            self.mailbox.deliver(replace(mail_of(mail(name)), received=NOON + timedelta(minutes=number)))
            for number, name in enumerate(names)
        ]

    def pages(self, source: GraphSource, after: Cursor | None = None) -> list[ChangePage]:
        return list(source.changes(self.inbox(source), after))

    def listed(self, source: GraphSource, after: Cursor | None = None) -> list[Change]:
        return [change for page in self.pages(source, after) for change in page.changes]

    def inbox(self, source: GraphSource) -> FolderId:
        return next(folder.id for folder in source.folders(None).changed if folder.kind is FolderKind.INBOX)

    def operations(self) -> list[str]:
        return self.graph.operations


@pytest.fixture(scope="module")
def _graph() -> Iterator[tuple[GraphSimulator, list[tuple[Request, Response]]]]:
    wire: list[tuple[Request, Response]] = []

    class Wire:
        def record(self, request: Request, response: Response) -> None:
            wire.append((request, response))

    app = Registration("tenant", "client", "s3cret")
    narrow = Registration("tenant", "narrow", "s3cret", mailboxes=frozenset())
    basic = Registration("tenant", "basic", "s3cret", permissions=frozenset({"Mail.ReadBasic"}))
    user = User("tenant", "svc@bank.example", "pa55")
    with GraphSimulator(Store(), registrations=[app, narrow, basic], users=[user], recorder=Wire()) as graph:
        yield graph, wire


@pytest.fixture
def world(_graph: tuple[GraphSimulator, list[tuple[Request, Response]]]) -> Iterator[World]:
    graph, wire = _graph
    created = World(graph, graph.store.add(f"desk{next(NUMBERS)}@bank.example"), wire)
    wire.clear()
    graph.requests.clear()
    yield created
    close_all()
    graph.faults.clear()


def fault_of(work: Callable[[], object]) -> errors.IntegrationError:
    with pytest.raises(errors.IntegrationError) as caught:
        work()
    return caught.value


@contextmanager
def peer(answer: Callable[[Request], Response]) -> Iterator[GraphSettings]:
    """Run a server whose `answer` replaces the answers of Graph. Its sign-in service works."""
    authority = Authority()

    def answered(request: Request) -> Response:
        base = f"https://{request.headers['Host']}"
        if request.path.endswith("/token"):
            return as_json({"access_token": "a-token", "expires_in": 3600, "token_type": "Bearer"})
        if request.path.endswith("/openid-configuration"):
            return openid_configuration(base, "tenant")
        return answer(request)

    with HttpServer(answered, tls=authority.server_context()) as server:
        yield GraphSettings(
            "peer", server.url, "oauth2", tenant_id="tenant", client_id="client", client_secret="s3cret", authority=server.url,
            ca_bundle=authority.pem, deadline=5.0,
        )  # fmt: skip
        close_all()
