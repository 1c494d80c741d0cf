"""The API of Re:infer: who asks is known by the token, and each call has its handler in `calls`.

One call comes in as a `Call` with its request, and leaves as an answer or as `Refused`. Faults, recording and
delivery are no business of this file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from simulators.http import Request, Response
from simulators.reinfer.answers import Refused
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
from simulators.reinfer.routes import Call
from simulators.reinfer.store import Store
from simulators.reinfer.tokens import Token
from simulators.reinfer.visit import Handler, Visit

HANDLERS: Mapping[str, Handler] = {
    operation: handler
    for part in (attachments, buckets, comments, datasets, emails, raw_emails, sources, states, users)
    for operation, handler in part.HANDLERS.items()
}
"""By the operation of `routes`."""


class Api:
    """`old_deployment` answers `sync` with the three counts of earlier years. `body_limit` is in bytes."""

    def __init__(self, store: Store, tokens: Iterable[Token], *, body_limit: int, old_deployment: bool) -> None:
        self._store = store
        self._tokens = {token.secret: token for token in tokens}
        self._body_limit = body_limit
        self._old_deployment = old_deployment

    def answer(self, call: Call, request: Request) -> Response:
        """Raises `Refused`."""
        token = self._authenticated(request)
        visit = Visit(request, call.parts, token, self._store, self._body_limit, self._old_deployment)
        return HANDLERS[call.operation](visit)

    def _authenticated(self, request: Request) -> Token:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        token = self._tokens.get(secret.strip())
        if scheme.lower() != "bearer" or token is None:
            raise Refused(401, "Invalid or missing API token")
        return token
