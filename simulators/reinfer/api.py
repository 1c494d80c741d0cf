"""The API of Re:infer: authenticates a request by its token and calls the handler of its operation in `calls`.

The result is a response, or the exception `Refused`. `server` applies faults and records requests.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from simulators.http import Request, Response
from simulators.reinfer.api_call import ApiCall, Handler
from simulators.reinfer.calls import (
    attachments,
    buckets,
    comments,
    datasets,
    emails,
    raw_emails,
    sources,
    states,
    users,
)
from simulators.reinfer.responses import Refused
from simulators.reinfer.routes import Call
from simulators.reinfer.store import Store
from simulators.reinfer.tokens import Token

HANDLERS: Mapping[str, Handler] = {
    operation: handler
    for part in (attachments, buckets, comments, datasets, emails, raw_emails, sources, states, users)
    for operation, handler in part.HANDLERS.items()
}
"""Handlers by the name of the operation in `routes`."""


class Api:
    """With `old_deployment`, pushes return only the three counts of older versions. `body_limit` is in bytes."""

    def __init__(self, store: Store, tokens: Iterable[Token], *, body_limit: int, old_deployment: bool) -> None:
        self._store = store
        self._tokens = {token.secret: token for token in tokens}
        self._body_limit = body_limit
        self._old_deployment = old_deployment

    def answer(self, call: Call, request: Request) -> Response:
        """The response to a call. Raises `Refused`."""
        token = self._authenticated(request)
        api_call = ApiCall(request, call.parts, token, self._store, self._body_limit, self._old_deployment)
        return HANDLERS[call.operation](api_call)

    def _authenticated(self, request: Request) -> Token:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        token = self._tokens.get(secret.strip())
        if scheme.lower() != "bearer" or token is None:
            raise Refused(401, "Invalid or missing API token")
        return token
