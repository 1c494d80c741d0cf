"""The Re:infer simulator: one port with the API below a path prefix, the control endpoint and the pages.

with ReinferSimulator(tokens=[Token("secret")], sources=[("bank", "desk")]) as reinfer:
    ...  # a client talks to reinfer.url
    assert reinfer.sources["bank", "desk"].ai_units == 3
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Self

from simulators.http import HttpServer, Records, Request, Response
from simulators.reinfer.api import Api
from simulators.reinfer.control import Control
from simulators.reinfer.fault_script import FaultScript
from simulators.reinfer.pages import answer_page
from simulators.reinfer.responses import Refused, error
from simulators.reinfer.routes import Call, find_call
from simulators.reinfer.store import Source, SourceKey, Store
from simulators.reinfer.tokens import Token

DEFAULT_PREFIX = "/acme/prod/reinfer_"
DEFAULT_TOKEN = "simulated-api-token"
BODY_LIMIT = 32 * 1024 * 1024
"""Maximum size of a request body in bytes.

The vendor publishes this number, but only as the limit for the HTML of one raw email.
"""


class ReinferSimulator:
    """Runs from `start` until `stop`. An occupied port raises `OSError`.

    Args:
        sources: (project, name) of the sources that exist from the start.
        projects: Names of further projects that exist from the start, without sources.
        prefix: The path in front of the API, such as `/organisation/tenant/reinfer_`; "" for no prefix.
        old_deployment: `sync` and `sync-raw-emails` return only the three counts of older versions.
        body_limit: Maximum size of a request body in bytes.
        port: 0 selects a free port.
    """

    def __init__(
        self,
        *,
        tokens: Iterable[Token] = (Token(DEFAULT_TOKEN),),
        projects: Iterable[str] = (),
        sources: Iterable[SourceKey] = (),
        prefix: str = DEFAULT_PREFIX,
        old_deployment: bool = False,
        body_limit: int = BODY_LIMIT,
        recorder: Records | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.prefix = prefix.rstrip("/")
        self.store = Store(projects)
        for project, name in sources:
            self.store.create(project, name)
        self.faults = FaultScript()
        self.requests: list[str] = []
        """The operation of every call of the API, in order; "unknown" if no operation has the path and method."""
        self._api = Api(self.store, tokens, body_limit=body_limit, old_deployment=old_deployment)
        self._control = Control(self.store, self.faults, self.requests)
        self._recorder = recorder
        self._server = HttpServer(self._answer, host=host, port=port)

    @property
    def url(self) -> str:
        """The base URL for clients, with the prefix and without a trailing slash."""
        return self._server.url + self.prefix

    @property
    def pages_url(self) -> str:
        return f"{self._server.url}/"

    @property
    def control_url(self) -> str:
        return f"{self._server.url}/control"

    @property
    def sources(self) -> Mapping[SourceKey, Source]:
        return self.store.sources

    @property
    def ai_units(self) -> int:
        """The AI units of all sources together."""
        return self.store.ai_units

    def start(self) -> Self:
        self._server.start()
        return self

    def stop(self) -> None:
        self._server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def _answer(self, request: Request) -> Response:
        path = request.path.removeprefix(self.prefix)
        if request.path.startswith(self.prefix) and path.startswith(("/api/", "/auth/")):
            return self._answer_api(path, request)
        if request.path.startswith("/control/"):
            return self._control.answer(request)
        if request.path.startswith(("/api/", "/auth/")):
            return error(404, "no such endpoint: the API has a path prefix")
        return answer_page(self.store, request)

    def _answer_api(self, path: str, request: Request) -> Response:
        start = time.perf_counter()
        call, response = self._called(path, request)
        timing = f"total;dur={(time.perf_counter() - start) * 1000:.1f}"
        headers = (*response.headers, ("Server-Timing", timing))
        response = replace(response, label=call.operation, headers=headers)
        if self._recorder:
            self._recorder.record(request, response)
        return response

    def _called(self, path: str, request: Request) -> tuple[Call, Response]:
        try:
            call = find_call(request.method, path)
        except Refused as refused:
            self.requests.append("unknown")
            return Call("unknown"), error(refused.status, refused.message)
        self.requests.append(call.operation)
        effect = self.faults.effect_on(call, request)
        return call, effect.on(partial(self._enveloped, call), request) if effect else self._enveloped(call, request)

    def _enveloped(self, call: Call, request: Request) -> Response:
        try:
            return self._api.answer(call, request)
        except Refused as refused:
            return error(refused.status, refused.message)
