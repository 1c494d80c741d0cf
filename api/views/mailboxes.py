"""Mailboxes, their folders, and what can be done with them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from access import history
from access.table import ADMINISTER, OPERATE, VIEW
from api import examples
from api.filters import flag, number, words
from api.problems import Conflict
from api.serializers.answers import ActionAnswerSerializer, Checked
from api.serializers.mailboxes import (
    FolderNotReadSerializer,
    FolderSerializer,
    MailboxAnswer,
    MailboxSerializer,
    VerificationSerializer,
)
from api.views.base import ApiView, Documents, Listed, answers, found, one, said
from api.views.integrations import integration_of
from mailboxes.models import Mailbox
from operations import actions, dry_runs
from operations.documents.single import as_document, change_mailbox, changed_rules, create_mailbox
from sync.models import SyncedFolder, Verification
from sync.reporting import mailbox_counters, status

FILTERS = {
    "integration_project": ("integration__project", words),
    "integration_name": ("integration__name", words),
    "bucket": ("bucket", number),
    "email": ("address__iexact", words),
    "enabled": ("enabled", flag),
    "disabled_reason": ("disabled_reason", words),
    "status": ("status", words),
}
LEFT = OpenApiParameter("left", OpenApiTypes.BOOL, description="Also what was left before.")
ORDERINGS = {"email": "address", "updated_at": "updated_at"}


class Mailboxes(Listed):
    """Mailboxes of all integrations."""

    needs: ClassVar = {"GET": VIEW}
    serializer_class = MailboxAnswer
    filters: ClassVar = FILTERS
    orderings: ClassVar = ORDERINGS

    def get_queryset(self) -> QuerySet[Any]:
        return rows()

    @answers(body=MailboxAnswer(many=True))
    def get(self, request: Request) -> Response:
        return self.get_paginated_response(told(self.page()))


class MailboxesOfIntegration(Listed):
    needs: ClassVar = {"GET": VIEW, "POST": ADMINISTER}
    serializer_class = MailboxAnswer
    filters: ClassVar = {name: FILTERS[name] for name in ("email", "bucket", "enabled", "disabled_reason", "status")}
    orderings: ClassVar = ORDERINGS

    def get_queryset(self) -> QuerySet[Any]:
        return rows().filter(integration=integration_of(self.kwargs["project"], self.kwargs["name"]))

    @answers(body=MailboxAnswer(many=True))
    def get(self, request: Request, project: str, name: str) -> Response:
        return self.get_paginated_response(told(self.page()))

    @answers(409, 422, given=MailboxSerializer, body=MailboxAnswer, code=201, examples=examples.MAILBOXES)
    def post(self, request: Request, project: str, name: str) -> Response:
        integration = integration_of(project, name)
        with Documents():
            row = create_mailbox(integration, _object(request))
        history.record(request, f"{row} was added.", about=row)
        actions.settings_changed(integration)
        return Response(told([rows().get(pk=row.pk)])[0], 201)


class OneMailbox(ApiView):
    needs: ClassVar = {"GET": VIEW, "PATCH": ADMINISTER, "DELETE": ADMINISTER}
    serializer_class = MailboxAnswer

    @answers(body=MailboxAnswer)
    def get(self, request: Request, pk: int) -> Response:
        return Response(told([one(rows(), pk)])[0])

    @answers(409, 422, given=MailboxSerializer(partial=True), body=MailboxAnswer, examples=examples.FILTERS)
    def patch(self, request: Request, pk: int) -> Response:
        """What is left out stays as it is."""
        row = one(rows(), pk)
        with Documents():
            changes = change_mailbox(row, _object(request, partial=True))
        if changes:
            history.record(request, f"{row} was changed.", changes=changes, about=row)
            actions.settings_changed(row.integration)
        return Response(told([one(rows(), pk)])[0])

    @answers(409, code=204)
    def delete(self, request: Request, pk: int) -> Response:
        """Its comments stay in Re:infer."""
        row = one(rows(), pk)
        if not actions.delete_mailbox(row):
            raise Conflict("A sync is just ending. Try again in a moment.")
        history.record(request, f"{row} was deleted.", integration_id=row.integration_id)
        return Response(status=204)


class Folders(Listed):
    """The folders of a mailbox: the vendor calls them sync states."""

    needs: ClassVar = {"GET": VIEW}
    serializer_class = FolderSerializer
    filters: ClassVar = {"left_out": ("left_out", flag)}

    def get_queryset(self) -> QuerySet[Any]:
        return folders_of(self.kwargs["pk"])

    @answers(body=FolderSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        return self.get_paginated_response(FolderSerializer(self.page(), many=True).data)


class FoldersNotRead(Listed):
    """The folders of a mailbox that are not read: their class stands for something other than mail, or they are hidden."""

    needs: ClassVar = {"GET": VIEW}
    serializer_class = FolderNotReadSerializer

    def get_queryset(self) -> QuerySet[Any]:
        return SyncedFolder.objects.not_read().filter(mailbox=one(Mailbox.objects.all(), self.kwargs["pk"]))

    @answers(body=FolderNotReadSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        return self.get_paginated_response(FolderNotReadSerializer(self.page(), many=True).data)


class OneFolder(ApiView):
    needs: ClassVar = {"GET": VIEW}
    serializer_class = FolderSerializer

    @answers(body=FolderSerializer)
    def get(self, request: Request, pk: int, folder: int) -> Response:
        return Response(FolderSerializer(one(folders_of(pk), folder)).data)


class ListFolderAgain(ApiView):
    needs: ClassVar = {"POST": OPERATE}

    @answers(body=ActionAnswerSerializer, code=202)
    def post(self, request: Request, pk: int, folder: int) -> Response:
        """List one folder from its beginning again, as if its sync state were deleted. Free: nothing is sent twice."""
        row = one(folders_of(pk).select_related("mailbox"), folder)
        look_at = reverse("api-mailbox-folder", args=[pk, folder])
        return said(request, actions.list_folder_again(row), look_at, code=202, about=row.mailbox)


class FilterPreview(ApiView):
    needs: ClassVar = {"POST": ADMINISTER}

    @answers(422, given=MailboxSerializer(partial=True), body=Checked, examples=examples.FILTERS)
    def post(self, request: Request, pk: int) -> Response:
        """What these filters would do to the emails of the last 30 days. Nothing is changed. Takes up to 20 s."""
        row = one(rows(), pk)
        with Documents():
            rules = changed_rules(row, _object(request, partial=True))
        return Response(found(dry_runs.preview_filters(row, rules)))


class _Action(ApiView):
    """Something that is done with one mailbox, at once or by its next sync."""

    needs: ClassVar = {"POST": OPERATE}

    def _done(
        self, request: Request, pk: int, act: Callable[[Mailbox], str | actions.ActionRefused], code: int = 200
    ) -> Response:
        row = one(Mailbox.objects.select_related("integration", "bucket"), pk)
        return said(request, act(row), reverse("api-mailbox", args=[pk]), code=code)


class StartMailbox(_Action):
    @answers(body=ActionAnswerSerializer)
    def post(self, request: Request, pk: int) -> Response:
        return self._done(request, pk, actions.start_mailbox)


class StopMailbox(_Action):
    @answers(body=ActionAnswerSerializer)
    def post(self, request: Request, pk: int) -> Response:
        return self._done(request, pk, actions.stop_mailbox)


class SyncNow(_Action):
    @answers(422, body=ActionAnswerSerializer, code=202)
    def post(self, request: Request, pk: int) -> Response:
        return self._done(request, pk, actions.sync_now, 202)


class ListAgain(_Action):
    @answers(body=ActionAnswerSerializer, code=202)
    def post(self, request: Request, pk: int) -> Response:
        """All folders are listed anew. Free: nothing is sent twice."""
        return self._done(request, pk, actions.list_again, 202)


class VerificationOfMailbox(_Action):
    needs: ClassVar = {"GET": VIEW, "POST": OPERATE}

    @answers(body=VerificationSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """How far the last verification is, and what it found."""
        return Response(VerificationSerializer(one(Verification.objects.all(), pk)).data)

    @answers(body=ActionAnswerSerializer, code=202)
    def post(self, request: Request, pk: int) -> Response:
        """Compare Exchange, what was synced and what Re:infer holds. Nothing is changed."""
        return self._done(request, pk, actions.verify_mailbox, 202)


class Repair(_Action):
    needs: ClassVar = {"POST": ADMINISTER}

    @answers(body=ActionAnswerSerializer, code=202)
    def post(self, request: Request, pk: int) -> Response:
        """Compare, and repair: what is missing is created anew, for an AI unit each; the rest is free."""
        return self._done(request, pk, partial(actions.verify_mailbox, repair=True), 202)


class SendAgain(_Action):
    needs: ClassVar = {"POST": ADMINISTER}

    @answers(body=ActionAnswerSerializer, code=202)
    def post(self, request: Request, pk: int) -> Response:
        """What Re:infer no longer holds is created anew, for an AI unit each."""
        return self._done(request, pk, actions.send_again, 202)


class BringNewlyWanted(_Action):
    needs: ClassVar = {"POST": ADMINISTER}
    queries: ClassVar = {"POST": ("left",)}

    @answers(422, body=ActionAnswerSerializer, code=202, parameters=[LEFT])
    def post(self, request: Request, pk: int) -> Response:
        """Send what only the rules of a newer release want, and what was there before it: an AI unit for each new comment."""
        by, left = history.who(request), also_left(request)
        return self._done(request, pk, lambda row: actions.bring_newly_wanted([row], by=by, also_left=left), 202)


class LeaveNewlyWanted(_Action):
    needs: ClassVar = {"POST": ADMINISTER}

    @answers(422, body=ActionAnswerSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Do not send what only the rules of a newer release want, and what was there before it. Can be changed later."""
        by = history.who(request)
        return self._done(request, pk, lambda row: actions.leave_newly_wanted([row], by=by))


def also_left(request: Request) -> bool:
    """Whether what was left before is meant, too. Raises a 400 for what is neither true nor false."""
    try:
        return flag(request.query_params.get("left", "false"))
    except ValueError as error:
        raise ValidationError({"left": [f"It must be {error}."]}) from None


class EstimateMailbox(ApiView):
    needs: ClassVar = {"POST": OPERATE}

    @answers(body=Checked)
    def post(self, request: Request, pk: int) -> Response:
        """How many emails its first sync brings. Takes up to 20 s."""
        return Response(found(dry_runs.cost_of_mailbox(one(Mailbox.objects.select_related("integration"), pk))))


def folders_of(pk: int) -> QuerySet[SyncedFolder]:
    """Raises Http404."""
    return SyncedFolder.objects.filter(mailbox=one(Mailbox.objects.all(), pk), gone=False, holds_mail=True)


def rows() -> QuerySet[Any]:
    with_status = status.with_status(Mailbox.objects.all(), timezone.now())
    return with_status.select_related("integration", "bucket__destination", "state")


def told(page: list[Any]) -> list[dict[str, Any]]:
    """These mailboxes in the vendor's shape, with what we say of each. As many queries for a thousand as for one."""
    return [
        {
            "id": row.mailbox.pk,
            "integration": f"{row.mailbox.integration.project}/{row.mailbox.integration.name}",
            **as_document(row.mailbox),
            "sync": {
                "status": mailbox.status,
                "detail": row.standing.sentence,
                "synced_at": row.synced_at,
                "synced_until": row.synced_until,
                "delivered": row.figures.delivered,
                "set_aside": row.figures.set_aside,
                "folders_left_out": row.left_out,
                "folders_not_read": row.not_read,
            },
        }
        for mailbox, row in zip(page, mailbox_counters.mailbox_rows(page, timezone.now()), strict=True)
    ]


def _object(request: Request, *, partial: bool = False) -> dict[str, Any]:
    """The body, once its shape is right."""
    MailboxSerializer(data=request.data, partial=partial).is_valid(raise_exception=True)
    return dict(request.data)
