"""The simulated Microsoft Graph over HTTPS, with the token endpoint of its Entra, in front of a mail store."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

from simulators.exchange.control import Control
from simulators.exchange.server import Seen
from simulators.exchange.store import Store
from simulators.exchange.tls import NAMES, Authority
from simulators.faults import Faults
from simulators.graph import effects
from simulators.graph.accounts import Principal, Registration, User
from simulators.graph.batch import answer_batch
from simulators.graph.delta import Links
from simulators.graph.desk import FILTERED_MOST, Desk
from simulators.graph.entra import Entra
from simulators.graph.errors import Refused
from simulators.graph.removals import Removals
from simulators.graph.routes import VERSION, Call, find_call
from simulators.graph.throttle import Limits, Throttle
from simulators.http import HttpServer, Records, Request, Response
from simulators.spoiling import spoiled


class GraphSimulator:
    """`url` is the service, below which stands `/v1.0`; `authority_url` has the token endpoints of the tenants.

    `ca` is the PEM to trust, `ca_file` a file of it; without `tls` all is plain HTTP. `limits` None throttles nobody.
    `links_kept` is how many of the newest delta links over one folder stay good; None: all.
    `removals` is what folders tell of messages that were moved; it can be set anew at any time.
    An `authority` may be another simulator's, so that a client trusts both.
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        registrations: Sequence[Registration] = (),
        users: Sequence[User] = (),
        limits: Limits | None = None,
        filtered_most: int = FILTERED_MOST,
        links_kept: int | None = None,
        removals: Removals = Removals.DOCUMENTED,
        tls: bool = True,
        authority: Authority | None = None,
        recorder: Records | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        control_port: int = 0,
        names: tuple[str, ...] = NAMES,
    ) -> None:
        self.store = store if store is not None else Store()
        self.faults = Faults()
        self.requests: list[Seen] = []
        self.entra = Entra(registrations, users)
        self.throttle = Throttle(limits)
        self.links = Links(links_kept)
        self.removals = removals
        self._filtered_most = filtered_most
        self._lock = threading.Lock()
        self._authority = authority or Authority()
        self.ca = self._authority.pem
        context = self._authority.server_context(names) if tls else None
        self._server = HttpServer(self._answer, host=host, port=port, tls=context, recorder=recorder)
        self._control = HttpServer(Control(self).answer, host=host, port=control_port)

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def authority_url(self) -> str:
        """The base address of the token endpoint."""
        return self._server.url

    @property
    def control_url(self) -> str:
        return self._control.url

    @property
    def operations(self) -> list[str]:
        return [seen.operation for seen in self.requests]

    @property
    def tokens_issued(self) -> int:
        return self.entra.issued

    def expire_tokens(self) -> None:
        self.entra.expire()

    def ca_file(self) -> Path:
        """A file with the certificate authority, made anew at each call."""
        return self._authority.file()

    def start(self) -> Self:
        self._server.start()
        self._control.start()
        return self

    def stop(self) -> None:
        self._server.stop()
        self._control.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    # ---- requests -------------------------------------------------------------------------------------------------

    def _answer(self, request: Request) -> Response:
        base = self._base(request)
        if request.path.startswith((f"/{VERSION}/", "/beta/")):
            return _with_ids(request, self._graph(request, base))
        operation = "token" if request.path.endswith("/token") else "discovery"
        rule = self.faults.struck(operation, "", states=effects.STATES)
        instead = effects.before(rule, operation) if rule else None
        response = instead or self.entra.answer(request, base) or Response(404, b"Not found", "text/plain")
        return spoiled(rule, response) if rule else response

    def _base(self, request: Request) -> str:
        """Scheme and host as the client called them, so that every link leads back to where it came from."""
        scheme = self._server.url.partition("://")[0]
        return f"{scheme}://{request.headers.get('Host') or self._server.url.partition('://')[2]}"

    def _graph(self, request: Request, base: str) -> Response:
        try:
            principal = self.entra.principal(request, base)
            call = find_call(request.method, request.path)
            if call.operation == "batch":
                return self._batch(request, principal, base)
            return self._one(request, call, principal, base)
        except Refused as refused:
            return refused.response()

    def _batch(self, request: Request, principal: Principal, base: str) -> Response:
        def alone(part: Request) -> Response:
            try:
                return self._one(part, find_call(part.method, part.path), principal, base)
            except Refused as refused:
                return refused.response()

        self._see(request, "batch", "", principal)
        rule = self.faults.struck("batch", "", states=effects.STATES)
        instead = effects.before(rule, "batch") if rule else None
        response = instead or answer_batch(request, alone)
        return spoiled(rule, response) if rule else response

    def _one(self, request: Request, call: Call, principal: Principal, base: str) -> Response:
        desk = Desk(self.store, self.faults, principal, base, self.links, self._filtered_most, self.removals)
        address = desk.address(call)
        self._see(request, call.operation, address, principal)
        with self.throttle.slot(principal.client_id, address):
            rule = self.faults.struck(call.operation, address, states=effects.STATES)
            if rule is not None and rule.effect == "slow":
                self._server.stopping.wait(rule.options["seconds"])
            instead = effects.before(rule, call.operation) if rule else None
            response = instead or _answered(desk, call, request)
            return spoiled(rule, response) if rule else response

    def _see(self, request: Request, operation: str, mailbox: str, principal: Principal) -> None:
        agent = request.headers.get("User-Agent") or ""
        with self._lock:
            self.requests.append(Seen(operation, mailbox, principal.name, agent))


def _answered(desk: Desk, call: Call, request: Request) -> Response:
    try:
        return desk.answer(call, request)
    except Refused as refused:
        return refused.response(call.operation)


def _with_ids(request: Request, response: Response) -> Response:
    """With the ids by which Microsoft finds a request again."""
    own = str(uuid.uuid4())
    client = request.headers.get("client-request-id") or own
    return replace(response, headers=(*response.headers, ("request-id", own), ("client-request-id", client)))
