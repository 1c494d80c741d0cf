"""Views of actions on many mailboxes, and of the counts of newly wanted emails. Query parameters select the mailboxes."""

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
from api.serializers.responses import ActionAnswerSerializer
from api.serializers.syncing import NewlyWantedSerializer
from api.views.base import ApiView, action_response, answers
from api.views.mailboxes import FILTERS, LEFT, also_left, rows
from mailboxes.models import Mailbox
from operations import mailbox_actions, newly_wanted_actions
from operations.actor import Actor
from operations.results import ActionRefused
from sync.reporting import newly_wanted
from sync.reporting.newly_wanted import AdminDecision

NO_FILTER = (
    "A filter is required, because the action would otherwise affect every mailbox. Example: ?integration_name=…"
)


class _Many(ApiView):
    """Base of the views. An action without a filter is rejected, so that a forgotten filter does not affect all mailboxes."""

    needs: ClassVar = {"POST": OPERATE}
    filter_backends = (Declared,)
    filters: ClassVar = FILTERS
    queries: ClassVar = {"GET": tuple(FILTERS), "POST": tuple(FILTERS)}

    def get_queryset(self) -> QuerySet[Any]:
        """Return all mailboxes with their sync state."""
        return rows()

    def _done(
        self, request: Request, action: Callable[[Actor, Sequence[Mailbox]], str | ActionRefused], code: int = 200
    ) -> Response:
        if not FILTERS.keys() & request.query_params.keys():
            raise Unprocessable(NO_FILTER)
        chosen = list(self.filter_queryset(self.get_queryset()))
        if not chosen:
            raise Unprocessable("No mailbox matches the filters.")
        return action_response(action(Actor.of_request(request), chosen), code=code)


class StartMailboxes(_Many):
    """Start of the selected mailboxes."""

    @answers(422, body=ActionAnswerSerializer)
    def post(self, request: Request) -> Response:
        """Start the mailboxes that match the filters."""
        return self._done(request, mailbox_actions.start_many)


class StopMailboxes(_Many):
    """Stop of the selected mailboxes."""

    @answers(422, body=ActionAnswerSerializer)
    def post(self, request: Request) -> Response:
        """Stop the mailboxes that match the filters."""
        return self._done(request, mailbox_actions.stop_many)


class SyncMailboxesNow(_Many):
    """Immediate sync of the selected mailboxes."""

    @answers(422, body=ActionAnswerSerializer, code=202)
    def post(self, request: Request) -> Response:
        """Make the mailboxes that match the filters and are not stopped due now."""
        return self._done(request, mailbox_actions.sync_many_now, 202)


class ListMailboxesAgain(_Many):
    """Full resync of the selected mailboxes."""

    @answers(422, body=ActionAnswerSerializer, code=202)
    def post(self, request: Request) -> Response:
        """Request a full resync of the mailboxes that match the filters. No comment is billed twice.

        The next sync of each mailbox lists all folders from the beginning.
        """
        return self._done(request, mailbox_actions.list_many_again, 202)


class BringNewlyWantedOfMany(_Many):
    """Delivery of newly wanted emails of the selected mailboxes."""

    needs: ClassVar = {"POST": ADMINISTER}
    queries: ClassVar = {"POST": (*FILTERS, "left")}

    @answers(422, body=ActionAnswerSerializer, code=202, parameters=[LEFT])
    def post(self, request: Request) -> Response:
        """Deliver the newly wanted emails of the mailboxes that match the filters. Each new comment costs an AI unit.

        Only the rules of a newer release include these emails, and they arrived before the upgrade to that release.
        """
        left = also_left(request)

        def bring(actor: Actor, mailboxes: Sequence[Mailbox]) -> str | ActionRefused:
            return newly_wanted_actions.bring(actor, mailboxes, about=MANY_MAILBOXES, also_left=left)

        return self._done(request, bring, 202)


class LeaveNewlyWantedOfMany(_Many):
    """Decision not to deliver newly wanted emails of the selected mailboxes."""

    needs: ClassVar = {"POST": ADMINISTER}

    @answers(422, body=ActionAnswerSerializer)
    def post(self, request: Request) -> Response:
        """Decide not to deliver the newly wanted emails of the mailboxes that match the filters.

        The decision can be changed later. Only the rules of a newer release include these emails, and they arrived before the
        upgrade to that release.
        """

        def leave(actor: Actor, mailboxes: Sequence[Mailbox]) -> str | ActionRefused:
            return newly_wanted_actions.leave(actor, mailboxes, about=MANY_MAILBOXES)

        return self._done(request, leave)


class NewlyWantedView(_Many):
    """Number of newly wanted emails of the selected mailboxes, or of all mailboxes."""

    needs: ClassVar = {"GET": VIEW}

    @answers(body=NewlyWantedSerializer)
    def get(self, request: Request) -> Response:
        """Count the newly wanted emails of all mailboxes, or of those that match the filters.

        Only the rules of a newer release include these emails, and they arrived before the upgrade to that release. The
        response counts the emails that wait for a decision (and their cost), the emails that were accepted and are not
        delivered yet, and the emails that an administrator decided not to deliver.
        """
        chosen = Mailbox.objects.filter(pk__in=[row.pk for row in self.filter_queryset(self.get_queryset())])
        amounts = {state: newly_wanted.amount(state, chosen) for state in AdminDecision}
        waiting = amounts[AdminDecision.WAITING]
        return Response(
            {
                "waiting": waiting.emails,
                "ai_units": waiting.units,
                "is_most": waiting.is_most,
                "is_counting": waiting.is_counting,
                "coming": amounts[AdminDecision.APPROVED].emails,
                "left": amounts[AdminDecision.DECLINED].emails,
            }
        )
