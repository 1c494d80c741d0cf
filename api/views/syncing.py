"""What was synced, what failed, what was set aside, what it cost; and an email as the comment it becomes."""

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
from api.serializers.answers import ActionAnswerSerializer
from api.serializers.destinations import UsageSerializer
from api.serializers.syncing import (
    CommentPreview,
    DeadLetterSerializer,
    OverviewSerializer,
    RunSerializer,
    SyncErrorSerializer,
)
from api.views.base import ApiView, Listed, answers, one, said
from conversion.deadline.child_process import AllPlacesTaken
from conversion.preview import preview_of_file, rejection
from conversion.transform import Converted, EmailLocation, NotConvertible
from integrations.dead_letter_reasons import UNTOLD
from integrations.reinfer.payload import comment_object
from mailboxes.models import Bucket, Mailbox
from operations import actions
from sync.jobs import budget, poll_rate
from sync.jobs.conversions import converter
from sync.models import DeadLetter, SyncRun
from sync.reporting import attention, integration_status, mailbox_counters
from sync.reporting.trends import with_units

OF_MAILBOX = {
    "mailbox": ("mailbox", number),
    "integration_project": ("mailbox__integration__project", words),
    "integration_name": ("mailbox__integration__name", words),
}
BUSY_FOR = 5
"""Seconds after which to try again, where others have a preview under way."""
SINCE = {"since": ("started_at__gte", moment), "until": ("started_at__lt", moment)}


class Runs(Listed):
    """Sync runs, newest first."""

    needs: ClassVar = {"GET": VIEW}
    queryset = SyncRun.objects.all()
    serializer_class = RunSerializer
    filters: ClassVar = {**OF_MAILBOX, **SINCE, "outcome": ("outcome", words), "kind": ("error_kind", words)}
    orderings: ClassVar = {"started_at": "started_at"}

    @answers(body=RunSerializer(many=True))
    def get(self, request: Request) -> Response:
        return self.get_paginated_response(RunSerializer(self.page(), many=True).data)


class Errors(Listed):
    """Syncs that failed, newest first."""

    needs: ClassVar = {"GET": VIEW}
    queryset = SyncRun.objects.filter(outcome=SyncRun.Outcome.FAILED).select_related("mailbox__integration")
    serializer_class = SyncErrorSerializer
    filters: ClassVar = {**OF_MAILBOX, **SINCE, "kind": ("error_kind", words)}
    orderings: ClassVar = {"started_at": "started_at"}

    @answers(body=SyncErrorSerializer(many=True))
    def get(self, request: Request) -> Response:
        return self.get_paginated_response([error_document(run) for run in self.page()])


def error_document(run: SyncRun) -> dict[str, Any]:
    """As the vendor tells an error."""
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
    """Emails that could not be delivered. What is in them is not told."""

    needs: ClassVar = {"GET": VIEW}
    queryset = DeadLetter.objects.exclude(stage__in=UNTOLD).select_related("folder")
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
        return self.get_paginated_response(DeadLetterSerializer(self.page(), many=True).data)


class FailedEmailView(ApiView):
    needs: ClassVar = {"GET": VIEW}
    serializer_class = DeadLetterSerializer

    @answers(body=DeadLetterSerializer)
    def get(self, request: Request, pk: int) -> Response:
        return Response(DeadLetterSerializer(one(_set_aside(), pk)).data)


class Retry(ApiView):
    needs: ClassVar = {"POST": OPERATE}

    @answers(422, body=ActionAnswerSerializer, code=202)
    def post(self, request: Request, pk: int) -> Response:
        """Try it again now."""
        look_at = reverse("api-set-aside", args=[pk])
        return said(request, actions.retry_set_aside(one(_set_aside(), pk)), look_at, code=202)


class RetryMany(ApiView):
    """Those that the filters name; all of them without a filter."""

    needs: ClassVar = {"POST": OPERATE}
    queryset = DeadLetter.objects.all()
    filter_backends = (Declared,)
    filters: ClassVar = {**OF_MAILBOX, "stage": ("stage", words), "kind": ("kind", words), "reason": ("reason", words)}
    queries: ClassVar = {"POST": tuple(filters)}

    @answers(422, body=ActionAnswerSerializer, code=202)
    def post(self, request: Request) -> Response:
        """Try them again with the next sync of their mailboxes."""
        look_at = reverse("api-set-aside-emails")
        return said(request, actions.retry_many_set_aside(self.filter_queryset(self.get_queryset())), look_at, code=202)


class Dismiss(ApiView):
    needs: ClassVar = {"POST": OPERATE}

    @answers(body=ActionAnswerSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Stop trying. It stays in Exchange and does not reach Re:infer."""
        return said(request, actions.dismiss_set_aside(one(_set_aside(), pk)))


class PreviewFailedEmail(ApiView):
    needs: ClassVar = {"POST": READ_MAIL}

    @answers(422, body=CommentPreview)
    def post(self, request: Request, pk: int) -> Response:
        """Fetch it from Exchange now, and tell what comment it makes. Nothing is sent or kept. Takes up to 20 s."""
        outcome = actions.preview_set_aside(one(_set_aside(), pk))
        if isinstance(outcome, actions.ActionRefused):
            raise Unprocessable(outcome.text)
        return Response(_previewed(outcome))


class PreviewView(ApiView):
    needs: ClassVar = {"POST": VIEW}
    parser_classes = (EmailParser,)

    @extend_schema(request={"message/rfc822": {"type": "string", "format": "binary"}})
    @answers(given={"message/rfc822": {"type": "string", "format": "binary"}}, body=CommentPreview)
    def post(self, request: Request) -> Response:
        """The comment that an email becomes, what was cut from its text and by which rule. Nothing is sent or kept."""
        given: Any = request.data
        mime = given if isinstance(given, bytes) else b""
        try:
            with converter(wait=False) as convert:
                outcome = preview_of_file(mime, EmailLocation("mailbox@example.com", ("Inbox",)), convert)
        except AllPlacesTaken as busy:
            raise Throttled(wait=BUSY_FOR, detail=str(busy)) from busy
        return Response(_previewed(outcome))


class Usage(ApiView):
    needs: ClassVar = {"GET": VIEW}

    @answers(body=UsageSerializer)
    def get(self, request: Request) -> Response:
        """AI units of this month: comments that we created, by bucket."""
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
    needs: ClassVar = {"GET": VIEW}

    @answers(body=OverviewSerializer)
    def get(self, request: Request) -> Response:
        """How many mailboxes are in which state, and what needs attention, newest first."""
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
            for problem in attention.problems(now)
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


def _set_aside() -> QuerySet[DeadLetter]:
    return DeadLetter.objects.select_related("folder", "mailbox__integration")


def _previewed(outcome: Converted | NotConvertible) -> dict[str, Any]:
    if isinstance(outcome, NotConvertible):
        return {"rejection": rejection(outcome)}
    cuts = [{"rule": cut.rule, "text": cut.text} for cut in outcome.cleaned.cuts]
    return {"comment": comment_object(outcome.comment), "cuts": cuts}
