"""The servers of the simulated Exchange over HTTPS: "Exchange Server 2016" and "Exchange Online" with one mail store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from simulators.delivery_faults import with_delivery_fault
from simulators.exchange import effects, pages, soap
from simulators.exchange.accounts import Account, Application, Principal
from simulators.exchange.control import Control
from simulators.exchange.operations import EwsRequestHandler
from simulators.exchange.signin import Online, OnPremises
from simulators.exchange.store import Store
from simulators.exchange.tls import Authority
from simulators.faults import Faults
from simulators.http import HttpServer, Records, Request, Response

ON_PREMISES_VERSION = "15.1.2507.39"
ONLINE_VERSION = "15.20.9245.11"


@dataclass(frozen=True)
class RecordedRequest:
    """A received request, for tests: operation, mailbox address, name of the account, User-Agent."""

    operation: str
    mailbox: str
    account: str
    user_agent: str


class ExchangeSimulator:
    """Two EWS servers: `url("onprem")` and `url("online")`. `ca` is the certificate authority to trust, in PEM."""

    def __init__(
        self,
        store: Store | None = None,
        *,
        accounts: Sequence[Account] = (),
        applications: Sequence[Application] = (),
        recorder: Records | None = None,
        host: str = "127.0.0.1",
        onprem_port: int = 0,
        online_port: int = 0,
        control_port: int = 0,
        names: tuple[str, ...] | None = None,
        authority: Authority | None = None,
    ) -> None:
        self.store = store or Store()
        self.faults = Faults()
        self.requests: list[RecordedRequest] = []
        self.online, self.on_premises = Online(applications), OnPremises(accounts)
        self.on_premises_version = ON_PREMISES_VERSION
        """The build of the front-end server on premises."""
        self._lock = threading.Lock()
        self._authority = authority or Authority()
        self.ca = self._authority.pem
        tls, self.on_premises.certificate = self._authority.identity(*((names,) if names else ()))
        given = {"host": host, "tls": tls, "recorder": recorder}
        self._servers = {
            "onprem": HttpServer(self._onprem, port=onprem_port, **given),  # type: ignore[arg-type]
            "online": HttpServer(self._online, port=online_port, **given),  # type: ignore[arg-type]
            "control": HttpServer(Control(self).answer, host=host, port=control_port),
        }

    def url(self, personality: str = "onprem") -> str:
        return self._servers[personality].url + pages.PATH

    @property
    def authority_url(self) -> str:
        """The base URL of the token endpoint."""
        return self._servers["online"].url

    @property
    def control_url(self) -> str:
        return self._servers["control"].url

    @property
    def operations(self) -> list[str]:
        return [seen.operation for seen in self.requests]

    @property
    def tokens_issued(self) -> int:
        return self.online.issued

    def expire_tokens(self) -> None:
        self.online.expire()

    def ca_file(self) -> Path:
        """A file with the certificate authority in PEM. Each call writes a new file."""
        return self._authority.file()

    def start(self) -> Self:
        for server in self._servers.values():
            server.start()
        return self

    def stop(self) -> None:
        for server in self._servers.values():
            server.stop()
        self.on_premises.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    # ---- requests -------------------------------------------------------------------------------------------------

    def _onprem(self, request: Request) -> Response:
        return self._served(request, self.on_premises, self.on_premises_version)

    def _online(self, request: Request) -> Response:
        if request.path.endswith("/oauth2/v2.0/token"):
            tenant = request.path.split("/")[1]
            return self._with_faults("token", "", "", lambda: self.online.token(request, tenant))
        if request.path.endswith("/.well-known/openid-configuration"):
            return self.online.discovery(f"https://{request.headers['Host']}", request.path.split("/")[1])
        return self._served(request, self.online, ONLINE_VERSION)

    def _served(self, request: Request, signin: OnPremises | Online, version: str) -> Response:
        """The response of EWS or of another page of the EWS site. Every page below `/ews/` needs a sign-in."""
        if not request.path.casefold().startswith(pages.FOLDER):
            return pages.not_found()
        principal = signin.principal(request)
        if isinstance(principal, Response):
            return principal
        page = pages.page(request)
        return page if page is not None else self._ews(request, principal, version)

    def _ews(self, request: Request, principal: Principal, version: str) -> Response:
        if request.headers.get_content_type() != "text/xml":
            return Response(415, b"text/xml is expected", "text/plain", label="not-xml")
        try:
            call = soap.parse(request.body)
        except soap.Malformed as error:
            return _answer(500, soap.fault(soap.SoapFault("ErrorSchemaValidation", str(error))), "malformed")
        handler = EwsRequestHandler(self.store, self.faults, principal, version)
        mailbox = handler.mailbox_named(call)
        with self._lock:
            agent = request.headers.get("User-Agent") or ""
            self.requests.append(RecordedRequest(call.operation, mailbox, principal.name, agent))
        anchor = request.headers.get("X-AnchorMailbox")
        if anchor and call.impersonated and anchor.casefold() != call.impersonated.casefold():
            text = "X-AnchorMailbox is not the impersonated mailbox."
            return _answer(500, soap.fault(soap.SoapFault("ErrorInvalidRequest", text)), call.operation)
        return self._with_faults(call.operation, mailbox, version, lambda: _answered(handler, call))

    def _with_faults(self, operation: str, mailbox: str, version: str, answer: Callable[[], Response]) -> Response:
        """The response of `answer`, changed or replaced by the scripted fault that affects the request, if there is such a
        fault.
        """
        rule = self.faults.matching_rule(operation, mailbox, states=effects.STATES)
        if rule is None:
            return answer()
        return effects.before(rule, operation, version) or with_delivery_fault(rule, answer())


def _answered(handler: EwsRequestHandler, call: soap.Call) -> Response:
    try:
        return _answer(200, handler.answer(call), call.operation)
    except (soap.SoapFault, soap.ItemFault) as error:
        as_fault = error if isinstance(error, soap.SoapFault) else soap.SoapFault(error.code, error.text)
        return _answer(500, soap.fault(as_fault), call.operation)


def _answer(status: int, body: bytes, label: str) -> Response:
    return Response(status, body, effects.XML, label=label)
