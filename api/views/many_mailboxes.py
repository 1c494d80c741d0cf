"""Many mailboxes at once: those that the filters name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from access.table import OPERATE
from api.filters import Declared
from api.problems import Unprocessable
from api.shapes.answers import Said
from api.views.base import Api, answers, said
from api.views.mailboxes import FILTERS, rows
from mailboxes.models import Mailbox
from sync import actions

SENTENCE = "Without a filter this would be every mailbox there is. Name which ones, as with ?integration_name=…"


class _Many(Api):
    """What is left out by mistake must not mean all of them."""

    needs: ClassVar = {"POST": OPERATE}
    filter_backends = (Declared,)
    filters: ClassVar = FILTERS
    queries: ClassVar = {"POST": tuple(FILTERS)}

    def get_queryset(self) -> QuerySet[Any]:
        return rows()

    def _done(
        self, request: Request, act: Callable[[Sequence[Mailbox]], str | actions.Complaint], code: int = 200
    ) -> Response:
        if not request.query_params:
            raise Unprocessable(SENTENCE)
        chosen = list(self.filter_queryset(self.get_queryset()))
        if not chosen:
            raise Unprocessable("There is no such mailbox.")
        return said(request, act(chosen), code=code, of=chosen)


class StartMailboxes(_Many):
    @answers(422, body=Said)
    def post(self, request: Request) -> Response:
        return self._done(request, actions.start_many)


class StopMailboxes(_Many):
    @answers(422, body=Said)
    def post(self, request: Request) -> Response:
        return self._done(request, actions.stop_many)


class SyncMailboxesNow(_Many):
    @answers(422, body=Said, code=202)
    def post(self, request: Request) -> Response:
        return self._done(request, actions.sync_many_now, 202)


class ListMailboxesAgain(_Many):
    @answers(422, body=Said, code=202)
    def post(self, request: Request) -> Response:
        return self._done(request, actions.list_many_again, 202)
