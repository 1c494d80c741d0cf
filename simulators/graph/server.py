"""The server of the simulated Microsoft Graph over HTTPS, with the token endpoint of Entra."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

from simulators.delivery_faults import with_delivery_fault
from simulators.exchange.control import Control
from simulators.exchange.server import RecordedRequest
from simulators.exchange.store import Store
from simulators.exchange.tls import NAMES, Authority
from simulators.faults import Faults
from simulators.graph import effects
from simulators.graph.accounts import Principal, Registration, User
from simulators.graph.batch import answer_batch
from simulators.graph.delta import Links
from simulators.graph.entra import Entra
from simulators.graph.errors import Refused
from simulators.graph.removals import Removals
from simulators.graph.request_handler import FILTERED_MOST, GraphRequestHandler
from simulators.graph.routes import VERSION, Call, find_call
from simulators.graph.throttle import Limits, Throttle
from simulators.http import HttpServer, Records, Request, Response


class GraphSimulator:
    """A Graph server. `url` is its base URL, without `/v1.0`. `ca` is the certificate authority to trust, in PEM.

    Args:
        limits: Throttling limits; None: no throttling.
        filtered_most: Maximum number of messages that the first listing of a delta query with a `$filter` returns.
        valid_links: How many of the newest delta links of a folder, or of the folder tree, are valid; None: all.
        removals: How moved messages are reported; the attribute can be changed at any time.
        tls: False: plain HTTP.
        authority: The certificate authority of another simulator, so that a client trusts both simulators.
        port: 0 selects a free port.
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        registrations: Sequence[Registration] = (),
        users: Sequence[User] = (),
        limits: Limits | None = None,
        filtered_most: int = FILTERED_MOST,
        valid_links: int | None = None,
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
        self.requests: list[RecordedRequest] = []
        self.entra = Entra(registrations, users)
        self.throttle = Throttle(limits)
        self.links = Links(valid_links)
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
        """The base URL of the token endpoint."""
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
        """A file with the certificate authority in PEM. Each call writes a new file."""
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
        rule = self.faults.matching_rule(operation, "", states=effects.STATES)
        instead = effects.before(rule, operation) if rule else None
        response = instead or self.entra.answer(request, base) or Response(404, b"Not found", "text/plain")
        return with_delivery_fault(rule, response) if rule else response

    def _base(self, request: Request) -> str:
        """Scheme and host as in the request, so that links have the address that the client uses."""
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
        def answer(part: Request) -> Response:
            try:
                return self._one(part, find_call(part.method, part.path), principal, base)
            except Refused as refused:
                return refused.response()

        self._see(request, "batch", "", principal)
        rule = self.faults.matching_rule("batch", "", states=effects.STATES)
        instead = effects.before(rule, "batch") if rule else None
        response = instead or answer_batch(request, answer)
        return with_delivery_fault(rule, response) if rule else response

    def _one(self, request: Request, call: Call, principal: Principal, base: str) -> Response:
        handler = GraphRequestHandler(
            self.store, self.faults, principal, base, self.links, self._filtered_most, self.removals
        )
        address = handler.address(call)
        self._see(request, call.operation, address, principal)
        with self.throttle.slot(principal.client_id, address):
            rule = self.faults.matching_rule(call.operation, address, states=effects.STATES)
            if rule is not None and rule.effect == "slow":
                self._server.stopping.wait(rule.options["seconds"])
            instead = effects.before(rule, call.operation) if rule else None
            response = instead or _answered(handler, call, request)
            return with_delivery_fault(rule, response) if rule else response

    def _see(self, request: Request, operation: str, mailbox: str, principal: Principal) -> None:
        agent = request.headers.get("User-Agent") or ""
        with self._lock:
            self.requests.append(RecordedRequest(operation, mailbox, principal.name, agent))


def _answered(handler: GraphRequestHandler, call: Call, request: Request) -> Response:
    try:
        return handler.answer(call, request)
    except Refused as refused:
        return refused.response(call.operation)


def _with_ids(request: Request, response: Response) -> Response:
    """The response with the request ids that Microsoft support asks for."""
    own = str(uuid.uuid4())
    client = request.headers.get("client-request-id") or own
    return replace(response, headers=(*response.headers, ("request-id", own), ("client-request-id", client)))
