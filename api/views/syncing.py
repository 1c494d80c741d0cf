"""Views of sync runs, failed emails, the preview of an email, AI units and the overview."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.response import Response

from access.table import OPERATE, READ_MAIL, VIEW
from api.filters import Declared, number, words
from api.moments import moment
from api.parsing import EmailParser
from api.problems import Unprocessable
from api.serializers.destinations import UsageSerializer
from api.serializers.responses import ActionAnswerSerializer
from api.serializers.syncing import (
    CommentPreview,
    DeadLetterSerializer,
    OverviewSerializer,
    RunSerializer,
    SyncErrorSerializer,
)
from api.views.base import ApiView, Listed, action_response, answers, one
from conversion.deadline.child_process import TooManyConversions
from conversion.preview import preview_of_file, rejection
from conversion.transform import Converted, EmailLocation, NotConvertible
from integrations.dead_letter_reasons import HIDDEN_STAGES
from integrations.reinfer.payload import comment_object
from mailboxes.models import Bucket, Mailbox
from operations import failed_email_actions
from operations.actor import Actor
from operations.results import ActionRefused
from sync.jobs import budget, poll_rate
from sync.jobs.conversions import converter
from sync.models import DeadLetter, SyncRun
from sync.reporting import alerts, integration_status, mailbox_counters
from sync.reporting.trends import with_units

OF_MAILBOX = {
    "mailbox": ("mailbox", number),
    "integration_project": ("mailbox__integration__project", words),
    "integration_name": ("mailbox__integration__name", words),
}
BUSY_FOR = 5
"""Seconds after which the client may retry if other conversions occupy all child processes."""
SINCE = {"since": ("started_at__gte", moment), "until": ("started_at__lt", moment)}


class Runs(Listed):
    """Sync runs."""

    needs: ClassVar = {"GET": VIEW}
    queryset = SyncRun.objects.all()
    serializer_class = RunSerializer
    filters: ClassVar = {**OF_MAILBOX, **SINCE, "outcome": ("outcome", words), "kind": ("error_kind", words)}
    orderings: ClassVar = {"started_at": "started_at"}

    @answers(body=RunSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the sync runs, by default the newest first."""
        return self.get_paginated_response(RunSerializer(self.page(), many=True).data)


class Errors(Listed):
    """Failed sync runs."""

    needs: ClassVar = {"GET": VIEW}
    queryset = SyncRun.objects.filter(outcome=SyncRun.Outcome.FAILED).select_related("mailbox__integration")
    serializer_class = SyncErrorSerializer
    filters: ClassVar = {**OF_MAILBOX, **SINCE, "kind": ("error_kind", words)}
    orderings: ClassVar = {"started_at": "started_at"}

    @answers(body=SyncErrorSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the failed sync runs, by default the newest first."""
        return self.get_paginated_response([error_document(run) for run in self.page()])


def error_document(run: SyncRun) -> dict[str, Any]:
    """Return a failed sync run in the format of Re:infer.

    Args:
        run: The sync run with its mailbox and integration.

    Returns:
        The document.
    """
    integration = run.mailbox.integration
    return {
        "id": f"{run.pk:016x}",
        "integration": f"{integration.project}/{integration.name}",
        "mailbox_name": run.mailbox.address,
        "error_text": run.error_text,
        "error_details": {"kind": run.error_kind, "full_error_text": run.error_text[:4096]},
        "created_at": (run.ended_at or run.started_at).isoformat(),
    }


class FailedEmailsView(Listed):
    """Failed emails: emails that could not be delivered. Their content is not returned."""

    needs: ClassVar = {"GET": VIEW}
    queryset = DeadLetter.objects.exclude(stage__in=HIDDEN_STAGES).select_related("folder")
    serializer_class = DeadLetterSerializer
    filters: ClassVar = {
        **OF_MAILBOX,
        "stage": ("stage", words),
        "settled": ("settled", words),
        "kind": ("kind", words),
        "reason": ("reason", words),
    }
    orderings: ClassVar = {"first_at": "first_at", "last_at": "last_at"}

    @answers(body=DeadLetterSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the failed emails: emails that could not be delivered. Their content is not returned."""
        return self.get_paginated_response(DeadLetterSerializer(self.page(), many=True).data)


class FailedEmailView(ApiView):
    """A failed email."""

    needs: ClassVar = {"GET": VIEW}
    serializer_class = DeadLetterSerializer

    @answers(body=DeadLetterSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Return the failed email, without its content."""
        return Response(DeadLetterSerializer(one(_failed_emails(), pk)).data)


class Retry(ApiView):
    """Retry of a failed email."""

    needs: ClassVar = {"POST": OPERATE}

    @answers(422, body=ActionAnswerSerializer, code=202)
    def post(self, request: Request, pk: int) -> Response:
        """Retry the failed email now: queue a sync of its mailbox."""
        look_at = reverse("api-set-aside", args=[pk])
        return action_response(
            failed_email_actions.retry(Actor.of_request(request), one(_failed_emails(), pk)), look_at, code=202
        )


class RetryMany(ApiView):
    """Retry of the failed emails that match the filters, or of all failed emails."""

    needs: ClassVar = {"POST": OPERATE}
    queryset = DeadLetter.objects.all()
    filter_backends = (Declared,)
    filters: ClassVar = {**OF_MAILBOX, "stage": ("stage", words), "kind": ("kind", words), "reason": ("reason", words)}
    queries: ClassVar = {"POST": tuple(filters)}

    @answers(422, body=ActionAnswerSerializer, code=202)
    def post(self, request: Request) -> Response:
        """Retry the failed emails that match the filters; without a filter, all failed emails.

        Dismissed emails are retried, too. The next syncs of each mailbox retry its emails, a limited number in each sync.
        """
        look_at = reverse("api-set-aside-emails")
        emails = self.filter_queryset(self.get_queryset())
        return action_response(failed_email_actions.retry_many(Actor.of_request(request), emails), look_at, code=202)


class Dismiss(ApiView):
    """Dismissal of a failed email."""

    needs: ClassVar = {"POST": OPERATE}

    @answers(body=ActionAnswerSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Stop retrying the failed email. The email remains in Exchange, and no comment is created for it."""
        return action_response(failed_email_actions.dismiss(Actor.of_request(request), one(_failed_emails(), pk)))


class PreviewFailedEmail(ApiView):
    """Preview of a failed email."""

    needs: ClassVar = {"POST": READ_MAIL}

    @answers(422, body=CommentPreview)
    def post(self, request: Request, pk: int) -> Response:
        """Fetch the failed email from Exchange and convert it. Return the comment, or the reason why there is none.

        No comment is pushed or stored. A request to Exchange takes up to 20 s.
        """
        outcome = failed_email_actions.preview(one(_failed_emails(), pk))
        if isinstance(outcome, ActionRefused):
            raise Unprocessable(outcome.text)
        return Response(_previewed(outcome))


class PreviewView(ApiView):
    """Preview of an email file."""

    needs: ClassVar = {"POST": VIEW}
    parser_classes = (EmailParser,)

    @extend_schema(request={"message/rfc822": {"type": "string", "format": "binary"}})
    @answers(given={"message/rfc822": {"type": "string", "format": "binary"}}, body=CommentPreview)
    def post(self, request: Request) -> Response:
        """Convert the email in the request body. Return the comment, or the reason why there is none.

        The response also contains each part that was cut from the text, and the rule that cut it. No comment is pushed or
        stored.
        """
        body: Any = request.data
        mime = body if isinstance(body, bytes) else b""
        try:
            with converter(wait=False) as convert:
                outcome = preview_of_file(mime, EmailLocation("mailbox@example.com", ("Inbox",)), convert)
        except TooManyConversions as busy:
            raise Throttled(wait=BUSY_FOR, detail=str(busy)) from busy
        return Response(_previewed(outcome))


class Usage(ApiView):
    """The AI units of this month."""

    needs: ClassVar = {"GET": VIEW}

    @answers(body=UsageSerializer)
    def get(self, request: Request) -> Response:
        """Return the AI units of this month by bucket: the number of comments that this product created."""
        now = timezone.now()
        lines = [
            {
                "bucket": row.pk,
                "project_name": row.project,
                "name": row.name,
                "ai_units": row.units,
                "monthly_limit": row.monthly_limit,
            }
            for row in with_units(Bucket.objects.order_by("pk"), now)
        ]
        since = budget.month_start(now)
        return Response({"since": since, "ai_units": sum(line["ai_units"] for line in lines), "buckets": lines})


class Overview(ApiView):
    """The state of the installation."""

    needs: ClassVar = {"GET": VIEW}

    @answers(body=OverviewSerializer)
    def get(self, request: Request) -> Response:
        """Return the state of the installation.

        The response contains the number of mailboxes by status, the required and the measured rate of polls, the number of
        comments of the last 24 hours, the number of failed emails, and up to 25 alerts of each kind, newest first.
        """
        now = timezone.now()
        totals = mailbox_counters.totals(now)
        problems = [
            {
                "about": problem.about,
                "title": f"{problem.title}: {problem.subject}",
                "text": problem.text,
                "kind": problem.kind,
                "count": problem.count,
                "since": problem.since,
            }
            for problem in alerts.problems(now)
        ]
        states = integration_status.count_by_status(Mailbox.objects.all(), now)
        return Response(
            {
                "mailboxes": {str(name): count for name, count in states.items()},
                "polls": _polls(now),
                "comments_last_24_hours": totals.comments_day,
                "set_aside": totals.set_aside,
                "attention": problems,
            }
        )


def _polls(now: datetime) -> dict[str, Any] | None:
    rate = poll_rate.latest(now)
    if rate is None:
        return None
    return {"needed_per_second": rate.needed, "done_per_second": rate.done, "measured_at": rate.at}


def _failed_emails() -> QuerySet[DeadLetter]:
    return DeadLetter.objects.select_related("folder", "mailbox__integration")


def _previewed(outcome: Converted | NotConvertible) -> dict[str, Any]:
    if isinstance(outcome, NotConvertible):
        return {"rejection": rejection(outcome)}
    cuts = [{"rule": cut.rule, "text": cut.text} for cut in outcome.cleaned.cuts]
    return {"comment": comment_object(outcome.comment), "cuts": cuts}
