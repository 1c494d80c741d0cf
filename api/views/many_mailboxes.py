"""Actions on many mailboxes at once: those that the filters name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from access.history import MANY_MAILBOXES
from access.table import ADMINISTER, OPERATE, VIEW
from api.filters import Declared
from api.problems import Unprocessable
from api.serializers.answers import ActionAnswerSerializer
from api.serializers.syncing import NewlyWantedSerializer
from api.views.base import ApiView, action_response, answers
from api.views.mailboxes import FILTERS, LEFT, also_left, rows
from mailboxes.models import Mailbox
from operations import mailbox_actions, newly_wanted_actions
from operations.actor import Actor
from operations.results import ActionRefused
from sync.reporting import newly_wanted
from sync.reporting.newly_wanted import AnswerState

SENTENCE = "Without a filter this would mean every mailbox. Name which ones, as with ?integration_name=…"


class _Many(ApiView):
    """Base of these actions. A request without a filter is rejected: a forgotten filter must not mean all mailboxes."""

    needs: ClassVar = {"POST": OPERATE}
    filter_backends = (Declared,)
    filters: ClassVar = FILTERS
    queries: ClassVar = {"GET": tuple(FILTERS), "POST": tuple(FILTERS)}

    def get_queryset(self) -> QuerySet[Any]:
        """Return all mailboxes with their state."""
        return rows()

    def _done(
        self, request: Request, act: Callable[[Actor, Sequence[Mailbox]], str | ActionRefused], code: int = 200
    ) -> Response:
        if not FILTERS.keys() & request.query_params.keys():
            raise Unprocessable(SENTENCE)
        chosen = list(self.filter_queryset(self.get_queryset()))
        if not chosen:
            raise Unprocessable("There is no such mailbox.")
        return action_response(act(Actor.of_request(request), chosen), code=code)


class StartMailboxes(_Many):
    """The start of mailboxes."""

    @answers(422, body=ActionAnswerSerializer)
    def post(self, request: Request) -> Response:
        """Start the mailboxes."""
        return self._done(request, mailbox_actions.start_many)


class StopMailboxes(_Many):
    """The stop of mailboxes."""

    @answers(422, body=ActionAnswerSerializer)
    def post(self, request: Request) -> Response:
        """Stop the mailboxes."""
        return self._done(request, mailbox_actions.stop_many)


class SyncMailboxesNow(_Many):
    """The request of syncs."""

    @answers(422, body=ActionAnswerSerializer, code=202)
    def post(self, request: Request) -> Response:
        """Make the running ones of these mailboxes due now."""
        return self._done(request, mailbox_actions.sync_many_now, 202)


class ListMailboxesAgain(_Many):
    """The listing of all folders from their beginning."""

    @answers(422, body=ActionAnswerSerializer, code=202)
    def post(self, request: Request) -> Response:
        """List all folders of these mailboxes from their beginning again. Nothing is sent twice or billed."""
        return self._done(request, mailbox_actions.list_many_again, 202)


class BringNewlyWantedOfMany(_Many):
    """The delivery of newly wanted emails."""

    needs: ClassVar = {"POST": ADMINISTER}
    queries: ClassVar = {"POST": (*FILTERS, "left")}

    @answers(422, body=ActionAnswerSerializer, code=202, parameters=[LEFT])
    def post(self, request: Request) -> Response:
        """Deliver emails of these mailboxes that only the rules of a newer release want.

        Each new comment costs an AI unit.
        """
        left = also_left(request)

        def bring(actor: Actor, mailboxes: Sequence[Mailbox]) -> str | ActionRefused:
            return newly_wanted_actions.bring(actor, mailboxes, about=MANY_MAILBOXES, also_left=left)

        return self._done(request, bring, 202)


class LeaveNewlyWantedOfMany(_Many):
    """The decision against newly wanted emails."""

    needs: ClassVar = {"POST": ADMINISTER}

    @answers(422, body=ActionAnswerSerializer)
    def post(self, request: Request) -> Response:
        """Do not deliver emails of these mailboxes that only the rules of a newer release want.

        The decision can be changed later.
        """

        def leave(actor: Actor, mailboxes: Sequence[Mailbox]) -> str | ActionRefused:
            return newly_wanted_actions.leave(actor, mailboxes, about=MANY_MAILBOXES)

        return self._done(request, leave)


class NewlyWantedView(_Many):
    """The number of newly wanted emails."""

    needs: ClassVar = {"GET": VIEW}

    @answers(body=NewlyWantedSerializer)
    def get(self, request: Request) -> Response:
        """Count the emails that only the rules of a newer release want and that arrived before it.

        How many are waiting for a decision and what they cost, how many are still to be delivered, and how many were
        left. Of all mailboxes, or of those that the filters name.
        """
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
