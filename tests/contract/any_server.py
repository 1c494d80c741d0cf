"""A server on loopback. A test defines its answers to one port of the product, and makes all calls of this port.

A port is here one of `PORTS` (an adapter with its kind of sign-in, or the sign-in service), and not a network port. If the
tested port is an adapter, its sign-in works.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from integrations.ews import connection as ews
from integrations.ews.connection import ConnectionSettings
from integrations.ews.source import ExchangeSource
from integrations.graph import connection as graph
from integrations.graph.connection import GraphSettings
from integrations.graph.source import GraphSource
from integrations.messages import Change, ChangeKind, Cursor, FolderId, ItemId
from integrations.ports import Sink, Source
from integrations.reinfer.listing import list_buckets
from integrations.reinfer.sink import ReinferSink
from simulators.exchange.tls import Authority
from simulators.graph.discovery import openid_configuration
from simulators.graph.errors import as_json
from simulators.http import HttpServer, Request, Response
from tests.integrations.reinfer.comments import comment
from tests.mails import NOON

ADDRESS = "desk@bank.example"
DEADLINE = 10.0
SECRETS = ("s3cret-secret", "s3cret-password", "s3cret-bearer", "s3cret-api-token")
EWS = ("EWS, Basic", "EWS, NTLM", "EWS, token")
SIGN_IN = ("sign-in of EWS", "sign-in of Graph", "discovery of EWS", "discovery of Graph")
SOURCES = (*EWS, "Graph", *SIGN_IN)
PORTS = (*SOURCES, "Re:infer")
Answer = Callable[[Request], Response]


@dataclass
class AnyServer:
    """The server. `port` is the tested port. `answer` returns the response to each request of the tested port.

    `requests` records the requests that `answer` answered. Without a tested port, these are all requests.
    """

    url: str = ""
    plain_url: str = ""
    authority: Authority = field(default_factory=Authority)
    port: str = ""
    answer: Answer = lambda request: Response()
    requests: list[Request] = field(default_factory=list)

    def __call__(self, request: Request) -> Response:
        base = f"https://{request.headers['Host']}"
        discovery, token = request.path.endswith("/openid-configuration"), request.path.endswith("/token")
        if discovery and self.port and not self.port.startswith("discovery"):
            return openid_configuration(base, "tenant")
        if token and self.port and not self.port.startswith("sign-in"):
            return as_json({"access_token": "s3cret-bearer", "expires_in": 3600, "token_type": "Bearer"})
        self.requests.append(request)
        return self.answer(request)

    def answers(self, port: str, answer: Answer) -> None:
        """Select the tested port and its answer, and close the connections of the previous port."""
        close_all()
        self.port, self.answer = port, answer
        self.requests.clear()

    def calls(self) -> list[Callable[[], object]]:
        """Return a function for each call of the tested port."""
        return _of_sink(self.plain_url) if self.port == "Re:infer" else _of_source(self.source())

    def check(self) -> Callable[[], object]:
        return self.calls()[0]

    def source(self) -> Source:
        common = {
            "tenant_id": "tenant", "client_id": "client", "client_secret": "s3cret-secret", "username": "BANK\\svc",
            "password": "s3cret-password", "authority": self.url, "ca_bundle": self.authority.pem, "deadline": DEADLINE,
        }  # fmt: skip
        if self.port.endswith("Graph"):
            return GraphSource(GraphSettings("graph", self.url, "oauth2", **common), ADDRESS)  # type: ignore[arg-type]
        auth = {"EWS, Basic": "basic", "EWS, NTLM": "ntlm"}.get(self.port, "oauth2")
        endpoint = f"{self.url}/EWS/Exchange.asmx"
        settings = ConnectionSettings(
            "ews", endpoint, auth, "impersonation", build_version="15.1.2507.39", **common  # type: ignore[arg-type]
        )  # fmt: skip
        return ExchangeSource(settings, ADDRESS)


@contextmanager
def any_server(authority: Authority | None = None) -> Iterator[AnyServer]:
    """Run a server. `authority` signs its certificate. By default, each server has a new authority."""
    made = AnyServer(authority=authority or Authority())
    with HttpServer(made, tls=made.authority.server_context()) as server, HttpServer(made) as plain:
        made.url, made.plain_url = server.url, plain.url
        yield made
        close_all()


def close_all() -> None:
    ews.close_all()
    graph.close_all()


def _of_source(source: Source) -> list[Callable[[], object]]:
    folder = FolderId("AQMkfolder")
    change = Change(ChangeKind.CREATED, folder, ItemId("AAMkitem"), received=NOON + timedelta(hours=1))
    return [
        source.check,
        lambda: source.folders(None),
        lambda: next(source.changes(folder, None)),
        lambda: list(source.fetch([change, change])),
        lambda: source.folders(Cursor("an unknown cursor")),
        lambda: next(source.changes(folder, Cursor("an unknown cursor"))),
    ]


def _of_sink(url: str) -> list[Callable[[], object]]:
    def call(work: Callable[[Sink], object]) -> Callable[[], object]:
        def called() -> object:
            with ReinferSink(url, "s3cret-api-token", "acme", "mail", deadline=DEADLINE) as sink:
                return work(sink)

        return called

    return [
        call(lambda sink: sink.check()),
        call(lambda sink: sink.create()),
        call(lambda sink: sink.is_empty()),
        call(lambda sink: sink.count()),
        call(lambda sink: sink.push([comment("1"), comment("2")])),
        call(lambda sink: sink.stored([comment("1").id])),
        lambda: list_buckets(url, "s3cret-api-token", deadline=DEADLINE, user_agent="test"),
    ]
