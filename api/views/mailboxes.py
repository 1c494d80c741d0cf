"""Views of mailboxes, their folders, and actions on one mailbox or folder."""

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

from access.history import Subject
from access.table import ADMINISTER, OPERATE, VIEW
from api import examples
from api.filters import flag, number, words
from api.problems import Conflict
from api.serializers.mailboxes import (
    FolderNotReadSerializer,
    FolderSerializer,
    MailboxAnswer,
    MailboxSerializer,
    VerificationSerializer,
)
from api.serializers.responses import ActionAnswerSerializer, Checked
from api.views.base import ApiView, Documents, Listed, action_response, answers, finding_data, one
from api.views.integrations import integration_of
from mailboxes.models import Mailbox
from operations import dry_runs, mailbox_actions, newly_wanted_actions
from operations.actor import Actor
from operations.documents.single import as_document, changed_rules
from operations.results import ActionRefused
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
LEFT = OpenApiParameter(
    "left", OpenApiTypes.BOOL, description="Whether to include emails that an earlier decision excluded from delivery."
)
ORDERINGS = {"email": "address", "updated_at": "updated_at"}


class Mailboxes(Listed):
    """Mailboxes of all integrations."""

    needs: ClassVar = {"GET": VIEW}
    serializer_class = MailboxAnswer
    filters: ClassVar = FILTERS
    orderings: ClassVar = ORDERINGS

    def get_queryset(self) -> QuerySet[Any]:
        """Return the mailboxes with their sync state."""
        return rows()

    @answers(body=MailboxAnswer(many=True))
    def get(self, request: Request) -> Response:
        """List the mailboxes of all integrations."""
        return self.get_paginated_response(documents(self.page()))


class MailboxesOfIntegration(Listed):
    """Mailboxes of one integration."""

    needs: ClassVar = {"GET": VIEW, "POST": ADMINISTER}
    serializer_class = MailboxAnswer
    filters: ClassVar = {name: FILTERS[name] for name in ("email", "bucket", "enabled", "disabled_reason", "status")}
    orderings: ClassVar = ORDERINGS

    def get_queryset(self) -> QuerySet[Any]:
        """Return the mailboxes of the integration with their sync state."""
        return rows().filter(integration=integration_of(self.kwargs["project"], self.kwargs["name"]))

    @answers(body=MailboxAnswer(many=True))
    def get(self, request: Request, project: str, name: str) -> Response:
        """List the mailboxes of the integration."""
        return self.get_paginated_response(documents(self.page()))

    @answers(409, 422, given=MailboxSerializer, body=MailboxAnswer, code=201, examples=examples.MAILBOXES)
    def post(self, request: Request, project: str, name: str) -> Response:
        """Add a mailbox."""
        integration = integration_of(project, name)
        with Documents():
            row = mailbox_actions.add_by_document(Actor.of_request(request), integration, _object(request))
        return Response(documents([rows().get(pk=row.pk)])[0], 201)


class OneMailbox(ApiView):
    """A mailbox."""

    needs: ClassVar = {"GET": VIEW, "PATCH": ADMINISTER, "DELETE": ADMINISTER}
    serializer_class = MailboxAnswer

    @answers(body=MailboxAnswer)
    def get(self, request: Request, pk: int) -> Response:
        """Return the mailbox."""
        return Response(documents([one(rows(), pk)])[0])

    @answers(409, 422, given=MailboxSerializer(partial=True), body=MailboxAnswer, examples=examples.FILTERS)
    def patch(self, request: Request, pk: int) -> Response:
        """Change the mailbox. Omitted keys do not change."""
        row = one(rows(), pk)
        with Documents():
            mailbox_actions.change_by_document(Actor.of_request(request), row, _object(request, partial=True))
        return Response(documents([one(rows(), pk)])[0])

    @answers(409, code=204)
    def delete(self, request: Request, pk: int) -> Response:
        """Delete the mailbox. Its comments remain in Re:infer."""
        row = one(rows(), pk)
        if not mailbox_actions.delete(Actor.of_request(request), row):
            raise Conflict("A sync of this mailbox is still running. Try again in a few seconds.")
        return Response(status=204)


class Folders(Listed):
    """The folders of a mailbox that contain mail. In Re:infer's API they are called sync states."""

    needs: ClassVar = {"GET": VIEW}
    serializer_class = FolderSerializer
    filters: ClassVar = {"left_out": ("left_out", flag)}

    def get_queryset(self) -> QuerySet[Any]:
        """Return the folders that contain mail."""
        return folders_of(self.kwargs["pk"])

    @answers(body=FolderSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """List the folders that contain mail, including those left out. In Re:infer's API they are called sync states."""
        return self.get_paginated_response(FolderSerializer(self.page(), many=True).data)


class FoldersNotRead(Listed):
    """The folders of a mailbox that are not read."""

    needs: ClassVar = {"GET": VIEW}
    serializer_class = FolderNotReadSerializer

    def get_queryset(self) -> QuerySet[Any]:
        """Return the folders that are not read."""
        return SyncedFolder.objects.not_read().filter(mailbox=one(Mailbox.objects.all(), self.kwargs["pk"]))

    @answers(body=FolderNotReadSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """List the folders that are not read, because their class is not mail or because they are hidden."""
        return self.get_paginated_response(FolderNotReadSerializer(self.page(), many=True).data)


class OneFolder(ApiView):
    """A folder."""

    needs: ClassVar = {"GET": VIEW}
    serializer_class = FolderSerializer

    @answers(body=FolderSerializer)
    def get(self, request: Request, pk: int, folder: int) -> Response:
        """Return the folder."""
        return Response(FolderSerializer(one(folders_of(pk), folder)).data)


class ListFolderAgain(ApiView):
    """Full resync of one folder."""

    needs: ClassVar = {"POST": OPERATE}

    @answers(body=ActionAnswerSerializer, code=202)
    def post(self, request: Request, pk: int, folder: int) -> Response:
        """Request a full resync: the next sync lists the folder from its beginning. No comment is billed twice."""
        row = one(folders_of(pk).select_related("mailbox"), folder)
        look_at = reverse("api-mailbox-folder", args=[pk, folder])
        return action_response(mailbox_actions.list_folder_again(Actor.of_request(request), row), look_at, code=202)


class FilterPreview(ApiView):
    """Preview of filter rules."""

    needs: ClassVar = {"POST": ADMINISTER}

    @answers(422, given=MailboxSerializer(partial=True), body=Checked, examples=examples.FILTERS)
    def post(self, request: Request, pk: int) -> Response:
        """Report how many emails of the last 30 days these filters would include. Usually takes up to 20 s."""
        row = one(rows(), pk)
        with Documents():
            rules = changed_rules(row, _object(request, partial=True))
        return Response(finding_data(dry_runs.preview_filters(row, rules)))


class _Action(ApiView):
    """Base of the actions on one mailbox. With status 202, a worker does the work later, in a sync or a verification."""

    needs: ClassVar = {"POST": OPERATE}

    def _done(
        self, request: Request, pk: int, action: Callable[[Actor, Mailbox], str | ActionRefused], code: int = 200
    ) -> Response:
        row = one(Mailbox.objects.select_related("integration", "bucket"), pk)
        return action_response(action(Actor.of_request(request), row), reverse("api-mailbox", args=[pk]), code=code)


class StartMailbox(_Action):
    """Start of a mailbox."""

    @answers(body=ActionAnswerSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Start the mailbox."""
        return self._done(request, pk, mailbox_actions.start)


class StopMailbox(_Action):
    """Stop of a mailbox."""

    @answers(body=ActionAnswerSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Stop the mailbox."""
        return self._done(request, pk, mailbox_actions.stop)


class SyncNow(_Action):
    """Immediate sync of a mailbox."""

    @answers(422, body=ActionAnswerSerializer, code=202)
    def post(self, request: Request, pk: int) -> Response:
        """Queue a sync of the mailbox now, even if the mailbox is paused. A stopped mailbox must be started first."""
        return self._done(request, pk, mailbox_actions.sync_now, 202)


class ListAgain(_Action):
    """Full resync of a mailbox."""

    @answers(body=ActionAnswerSerializer, code=202)
    def post(self, request: Request, pk: int) -> Response:
        """Request a full resync: the next sync lists all folders from the beginning. No comment is billed twice."""
        return self._done(request, pk, mailbox_actions.list_again, 202)


class VerificationOfMailbox(_Action):
    """Verification of a mailbox."""

    needs: ClassVar = {"GET": VIEW, "POST": OPERATE}

    @answers(body=VerificationSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Return the progress and the result of the last verification."""
        return Response(VerificationSerializer(one(Verification.objects.all(), pk)).data)

    @answers(body=ActionAnswerSerializer, code=202)
    def post(self, request: Request, pk: int) -> Response:
        """Request a verification: a comparison of Exchange, the ledger and the comments in Re:infer. It changes nothing."""
        return self._done(request, pk, mailbox_actions.verify, 202)


class Repair(_Action):
    """Verification of a mailbox with repair."""

    needs: ClassVar = {"POST": ADMINISTER}

    @answers(body=ActionAnswerSerializer, code=202)
    def post(self, request: Request, pk: int) -> Response:
        """Request a verification that repairs differences. Each created comment costs an AI unit; other repairs are free."""
        return self._done(request, pk, partial(mailbox_actions.verify, repair=True), 202)


class SendAgain(_Action):
    """Push of the comments that are missing in Re:infer."""

    needs: ClassVar = {"POST": ADMINISTER}

    @answers(body=ActionAnswerSerializer, code=202)
    def post(self, request: Request, pk: int) -> Response:
        """Request that the next sync creates the comments that are missing in Re:infer. Each costs an AI unit."""
        return self._done(request, pk, mailbox_actions.send_again, 202)


class BringNewlyWanted(_Action):
    """Delivery of newly wanted emails."""

    needs: ClassVar = {"POST": ADMINISTER}
    queries: ClassVar = {"POST": ("left",)}

    @answers(422, body=ActionAnswerSerializer, code=202, parameters=[LEFT])
    def post(self, request: Request, pk: int) -> Response:
        """Deliver the newly wanted emails of the mailbox. Each new comment costs an AI unit.

        Only the rules of a newer release include these emails, and they arrived before the upgrade to that release.
        """
        left = also_left(request)

        def bring(actor: Actor, row: Mailbox) -> str | ActionRefused:
            return newly_wanted_actions.bring(actor, [row], about=Subject.of(row), also_left=left)

        return self._done(request, pk, bring, 202)


class LeaveNewlyWanted(_Action):
    """Decision not to deliver newly wanted emails."""

    needs: ClassVar = {"POST": ADMINISTER}

    @answers(422, body=ActionAnswerSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Decide not to deliver the newly wanted emails of the mailbox. The decision can be changed later.

        Only the rules of a newer release include these emails, and they arrived before the upgrade to that release.
        """

        def leave(actor: Actor, row: Mailbox) -> str | ActionRefused:
            return newly_wanted_actions.leave(actor, [row], about=Subject.of(row))

        return self._done(request, pk, leave)


def also_left(request: Request) -> bool:
    """Return whether the request includes emails that an earlier decision excluded from delivery.

    Args:
        request: The request, with the query parameter `left`.

    Returns:
        The value of the parameter; False if it is missing.

    Raises:
        ValidationError: The value is neither true nor false.
    """
    try:
        return flag(request.query_params.get("left", "false"))
    except ValueError as error:
        raise ValidationError({"left": [f"It must be {error}."]}) from None


class EstimateMailbox(ApiView):
    """Estimate of the cost of the first sync of a mailbox."""

    needs: ClassVar = {"POST": OPERATE}

    @answers(body=Checked)
    def post(self, request: Request, pk: int) -> Response:
        """Estimate how many emails the first sync delivers. Usually takes up to 20 s."""
        return Response(finding_data(dry_runs.cost_of_mailbox(one(Mailbox.objects.select_related("integration"), pk))))


def folders_of(pk: int) -> QuerySet[SyncedFolder]:
    """Return the folders of a mailbox that contain mail, including those that are left out.

    Args:
        pk: The primary key of the mailbox.

    Returns:
        The folders.

    Raises:
        Http404: The mailbox does not exist.
    """
    return SyncedFolder.objects.filter(mailbox=one(Mailbox.objects.all(), pk), gone=False, holds_mail=True)


def rows() -> QuerySet[Any]:
    """Return all mailboxes with their sync state, integration, bucket and destination."""
    with_status = status.with_status(Mailbox.objects.all(), timezone.now())
    return with_status.select_related("integration", "bucket__destination", "state")


def documents(page: list[Any]) -> list[dict[str, Any]]:
    """Return mailboxes in the format of Re:infer, with their sync state.

    The number of queries does not depend on the number of mailboxes.

    Args:
        page: Mailboxes from the query `rows`.

    Returns:
        One document for each mailbox.
    """
    return [
        {
            "id": row.mailbox.pk,
            "integration": f"{row.mailbox.integration.project}/{row.mailbox.integration.name}",
            **as_document(row.mailbox),
            "sync": {
                "status": mailbox.status,
                "detail": row.summary.sentence,
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
    """Validate the request body with `MailboxSerializer`, and return it unchanged."""
    MailboxSerializer(data=request.data, partial=partial).is_valid(raise_exception=True)
    return dict(request.data)
