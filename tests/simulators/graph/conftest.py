"""A simulated Graph with three mailboxes. The tests send requests with httpx, not with the product's client."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from simulators.exchange import Store, mail_of
from simulators.exchange.store import Item, Mailbox
from simulators.graph import GraphSimulator, Registration, User
from tests.mails import mail

ADDRESS = "desk@bank.example"
OTHER = "ops@bank.example"
OUTSIDE = "board@bank.example"
DEFAULT = "https://graph.microsoft.com/.default"
IMMUTABLE = 'IdType="ImmutableId"'


@dataclass
class Reader:
    """A client of the simulator that has the token of an app."""

    graph: GraphSimulator
    client: httpx.Client
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def mailbox(self) -> Mailbox:
        return self.graph.store[ADDRESS]

    @property
    def root(self) -> str:
        return f"{self.graph.url}/v1.0/users/{ADDRESS}"

    def deliver(self, name: str, folder: str = "Inbox", **given: Any) -> Item:
        return self.mailbox.deliver(mail_of(mail(name, **given)), folder)

    def token(self, *, tenant: str = "tenant", **form: str) -> httpx.Response:
        given = {"grant_type": "client_credentials", "client_id": "client", "client_secret": "s3cret"}
        given |= {"scope": DEFAULT} | form
        return self.client.post(f"{self.graph.authority_url}/{tenant}/oauth2/v2.0/token", data=given)

    def sign_in(self, **form: str) -> None:
        self.headers = {"Authorization": f"Bearer {self.token(**form).json()['access_token']}"}

    def get(self, where: str, *prefer: str, **options: str) -> httpx.Response:
        """Send a GET. `where`: a URL, or a path relative to the mailbox. `options`: query options without the dollar sign."""
        url = where if where.startswith("http") else f"{self.root}/{where}"
        named = "&".join(f"{'' if name == 'changeType' else '$'}{name}={quote(text)}" for name, text in options.items())
        headers = {**self.headers, **({"Prefer": ", ".join(prefer)} if prefer else {})}
        return self.client.get(f"{url}?{named}" if named else url, headers=headers)

    def error(self, where: str, *prefer: str, **options: str) -> tuple[int, str]:
        response = self.get(where, *prefer, **options)
        return response.status_code, response.json()["error"]["code"]

    def round(self, where: str, *prefer: str, **options: str) -> tuple[list[dict[str, Any]], str]:
        """Request all pages up to the next delta link (a round of change tracking). Returns their rows and this link."""
        rows = []
        answer = self.get(where, *prefer, **options).json()
        while True:
            rows += answer["value"]
            if "@odata.deltaLink" in answer:
                return rows, answer["@odata.deltaLink"]
            answer = self.get(answer["@odata.nextLink"], *prefer).json()


@pytest.fixture
def reader() -> Iterator[Reader]:
    app = Registration("tenant", "client", "s3cret", mailboxes=frozenset({ADDRESS, OTHER}))
    user = User("tenant", "svc@bank.example", "pa55", delegate_of=frozenset({ADDRESS}))
    store = Store([ADDRESS, OTHER, OUTSIDE])
    with GraphSimulator(store, registrations=[app], users=[user]) as graph:
        trust = ssl.create_default_context(cadata=graph.ca)
        with httpx.Client(verify=trust, trust_env=False) as client:
            signed_in = Reader(graph, client)
            signed_in.sign_in()
            yield signed_in


def names(rows: list[dict[str, Any]]) -> list[str]:
    """Return the local part of the Message-ID for each row of a round, or a minus if the message was removed."""
    return ["-" if "@removed" in row else row["internetMessageId"].strip("<").partition("@")[0] for row in rows]
