"""Many mailboxes at once: those that the filters name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from access import history
from access.table import ADMINISTER, OPERATE, VIEW
from api.filters import Declared
from api.problems import Unprocessable
from api.serializers.answers import ActionAnswerSerializer
from api.serializers.syncing import NewlyWantedSerializer
from api.views.base import ApiView, answers, said
from api.views.mailboxes import FILTERS, LEFT, also_left, rows
from mailboxes.models import Mailbox
from operations import actions
from sync.reporting import newly_wanted
from sync.reporting.newly_wanted import AnswerState

SENTENCE = "Without a filter this would be every mailbox there is. Name which ones, as with ?integration_name=…"


class _Many(ApiView):
    """What is left out by mistake must not mean all of them."""

    needs: ClassVar = {"POST": OPERATE}
    filter_backends = (Declared,)
    filters: ClassVar = FILTERS
    queries: ClassVar = {"GET": tuple(FILTERS), "POST": tuple(FILTERS)}

    def get_queryset(self) -> QuerySet[Any]:
        return rows()

    def _done(
        self, request: Request, act: Callable[[Sequence[Mailbox]], str | actions.ActionRefused], code: int = 200
    ) -> Response:
        if not FILTERS.keys() & request.query_params.keys():
            raise Unprocessable(SENTENCE)
        chosen = list(self.filter_queryset(self.get_queryset()))
        if not chosen:
            raise Unprocessable("There is no such mailbox.")
        return said(request, act(chosen), code=code, of=chosen)


class StartMailboxes(_Many):
    @answers(422, body=ActionAnswerSerializer)
    def post(self, request: Request) -> Response:
        return self._done(request, actions.start_many)


class StopMailboxes(_Many):
    @answers(422, body=ActionAnswerSerializer)
    def post(self, request: Request) -> Response:
        return self._done(request, actions.stop_many)


class SyncMailboxesNow(_Many):
    @answers(422, body=ActionAnswerSerializer, code=202)
    def post(self, request: Request) -> Response:
        return self._done(request, actions.sync_many_now, 202)


class ListMailboxesAgain(_Many):
    @answers(422, body=ActionAnswerSerializer, code=202)
    def post(self, request: Request) -> Response:
        return self._done(request, actions.list_many_again, 202)


class BringNewlyWantedOfMany(_Many):
    needs: ClassVar = {"POST": ADMINISTER}
    queries: ClassVar = {"POST": (*FILTERS, "left")}

    @answers(422, body=ActionAnswerSerializer, code=202, parameters=[LEFT])
    def post(self, request: Request) -> Response:
        """Send what only the rules of a newer release want of these mailboxes: an AI unit for each new comment."""
        by, left = history.who(request), also_left(request)
        return self._done(request, lambda rows: actions.bring_newly_wanted(rows, by=by, also_left=left), 202)


class LeaveNewlyWantedOfMany(_Many):
    needs: ClassVar = {"POST": ADMINISTER}

    @answers(422, body=ActionAnswerSerializer)
    def post(self, request: Request) -> Response:
        """Do not send what only the rules of a newer release want of these mailboxes. Can be changed later."""
        by = history.who(request)
        return self._done(request, lambda rows: actions.leave_newly_wanted(rows, by=by))


class NewlyWantedView(_Many):
    needs: ClassVar = {"GET": VIEW}

    @answers(body=NewlyWantedSerializer)
    def get(self, request: Request) -> Response:
        """Emails that only the rules of a newer release want and that were there before it: how many wait for an answer and
        what they cost, how many are still to come, and how many were left. Of all mailboxes, or of those that are named."""
        chosen = Mailbox.objects.filter(pk__in=[row.pk for row in self.filter_queryset(self.get_queryset())])
        amounts = {standing: newly_wanted.amount(standing, chosen) for standing in AnswerState}
        waiting = amounts[AnswerState.WAITING]
        return Response(
            {
                "waiting": waiting.emails,
                "ai_units": waiting.units,
                "is_most": waiting.is_most,
                "is_counting": waiting.is_counting,
                "coming": amounts[AnswerState.COMING].emails,
                "left": amounts[AnswerState.LEFT].emails,
            }
        )
