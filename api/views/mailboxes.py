"""Mailboxes, their folders, and the actions on them."""

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
from api.serializers.answers import ActionAnswerSerializer, Checked
from api.serializers.mailboxes import (
    FolderNotReadSerializer,
    FolderSerializer,
    MailboxAnswer,
    MailboxSerializer,
    VerificationSerializer,
)
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
    "left", OpenApiTypes.BOOL, description="Include emails that an earlier decision left in Exchange."
)
ORDERINGS = {"email": "address", "updated_at": "updated_at"}


class Mailboxes(Listed):
    """Mailboxes of all integrations."""

    needs: ClassVar = {"GET": VIEW}
    serializer_class = MailboxAnswer
    filters: ClassVar = FILTERS
    orderings: ClassVar = ORDERINGS

    def get_queryset(self) -> QuerySet[Any]:
        """Return the mailboxes with their state."""
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
        """Return the mailboxes of the integration with their state."""
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
        """Change the mailbox. Keys that are left out do not change."""
        row = one(rows(), pk)
        with Documents():
            mailbox_actions.change_by_document(Actor.of_request(request), row, _object(request, partial=True))
        return Response(documents([one(rows(), pk)])[0])

    @answers(409, code=204)
    def delete(self, request: Request, pk: int) -> Response:
        """Delete the mailbox. Its comments stay in Re:infer."""
        row = one(rows(), pk)
        if not mailbox_actions.delete(Actor.of_request(request), row):
            raise Conflict("A sync is just ending. Try again in a moment.")
        return Response(status=204)


class Folders(Listed):
    """The folders of a mailbox, which Re:infer calls sync states."""

    needs: ClassVar = {"GET": VIEW}
    serializer_class = FolderSerializer
    filters: ClassVar = {"left_out": ("left_out", flag)}

    def get_queryset(self) -> QuerySet[Any]:
        """Return the folders that are synced."""
        return folders_of(self.kwargs["pk"])

    @answers(body=FolderSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """List the folders, which Re:infer calls sync states."""
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
        """List the folders that are not read: their class stands for something other than mail, or they are hidden."""
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
    """The listing of one folder from its beginning."""

    needs: ClassVar = {"POST": OPERATE}

    @answers(body=ActionAnswerSerializer, code=202)
    def post(self, request: Request, pk: int, folder: int) -> Response:
        """List one folder from its beginning again. Nothing is sent twice or billed."""
        row = one(folders_of(pk).select_related("mailbox"), folder)
        look_at = reverse("api-mailbox-folder", args=[pk, folder])
        return action_response(mailbox_actions.list_folder_again(Actor.of_request(request), row), look_at, code=202)


class FilterPreview(ApiView):
    """The preview of filters."""

    needs: ClassVar = {"POST": ADMINISTER}

    @answers(422, given=MailboxSerializer(partial=True), body=Checked, examples=examples.FILTERS)
    def post(self, request: Request, pk: int) -> Response:
        """Report what these filters would do to the emails of the last 30 days. Takes up to 20 s."""
        row = one(rows(), pk)
        with Documents():
            rules = changed_rules(row, _object(request, partial=True))
        return Response(finding_data(dry_runs.preview_filters(row, rules)))


class _Action(ApiView):
    """An action on one mailbox, at once or by its next sync."""

    needs: ClassVar = {"POST": OPERATE}

    def _done(
        self, request: Request, pk: int, act: Callable[[Actor, Mailbox], str | ActionRefused], code: int = 200
    ) -> Response:
        row = one(Mailbox.objects.select_related("integration", "bucket"), pk)
        return action_response(act(Actor.of_request(request), row), reverse("api-mailbox", args=[pk]), code=code)


class StartMailbox(_Action):
    """The start of a mailbox."""

    @answers(body=ActionAnswerSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Start the mailbox."""
        return self._done(request, pk, mailbox_actions.start)


class StopMailbox(_Action):
    """The stop of a mailbox."""

    @answers(body=ActionAnswerSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Stop the mailbox."""
        return self._done(request, pk, mailbox_actions.stop)


class SyncNow(_Action):
    """The request of a sync."""

    @answers(422, body=ActionAnswerSerializer, code=202)
    def post(self, request: Request, pk: int) -> Response:
        """Queue the mailbox now, also while it is paused."""
        return self._done(request, pk, mailbox_actions.sync_now, 202)


class ListAgain(_Action):
    """The listing of all folders from their beginning."""

    @answers(body=ActionAnswerSerializer, code=202)
    def post(self, request: Request, pk: int) -> Response:
        """List all folders from their beginning again. Nothing is sent twice or billed."""
        return self._done(request, pk, mailbox_actions.list_again, 202)


class VerificationOfMailbox(_Action):
    """The verification of a mailbox."""

    needs: ClassVar = {"GET": VIEW, "POST": OPERATE}

    @answers(body=VerificationSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Return the progress and the result of the last verification."""
        return Response(VerificationSerializer(one(Verification.objects.all(), pk)).data)

    @answers(body=ActionAnswerSerializer, code=202)
    def post(self, request: Request, pk: int) -> Response:
        """Compare Exchange, the synced emails and the comments in Re:infer. Nothing is changed."""
        return self._done(request, pk, mailbox_actions.verify, 202)


class Repair(_Action):
    """The verification with repair."""

    needs: ClassVar = {"POST": ADMINISTER}

    @answers(body=ActionAnswerSerializer, code=202)
    def post(self, request: Request, pk: int) -> Response:
        """Compare, and repair: missing comments are created, for an AI unit each; the rest is free."""
        return self._done(request, pk, partial(mailbox_actions.verify, repair=True), 202)


class SendAgain(_Action):
    """The delivery of everything that Re:infer lacks."""

    needs: ClassVar = {"POST": ADMINISTER}

    @answers(body=ActionAnswerSerializer, code=202)
    def post(self, request: Request, pk: int) -> Response:
        """Create the comments that Re:infer no longer has, for an AI unit each."""
        return self._done(request, pk, mailbox_actions.send_again, 202)


class BringNewlyWanted(_Action):
    """The delivery of newly wanted emails."""

    needs: ClassVar = {"POST": ADMINISTER}
    queries: ClassVar = {"POST": ("left",)}

    @answers(422, body=ActionAnswerSerializer, code=202, parameters=[LEFT])
    def post(self, request: Request, pk: int) -> Response:
        """Deliver emails that only the rules of a newer release want, and that arrived before it.

        Each new comment costs an AI unit.
        """
        left = also_left(request)

        def bring(actor: Actor, row: Mailbox) -> str | ActionRefused:
            return newly_wanted_actions.bring(actor, [row], about=Subject.of(row), also_left=left)

        return self._done(request, pk, bring, 202)


class LeaveNewlyWanted(_Action):
    """The decision against newly wanted emails."""

    needs: ClassVar = {"POST": ADMINISTER}

    @answers(422, body=ActionAnswerSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Do not deliver emails that only the rules of a newer release want, and that arrived before it.

        The decision can be changed later.
        """

        def leave(actor: Actor, row: Mailbox) -> str | ActionRefused:
            return newly_wanted_actions.leave(actor, [row], about=Subject.of(row))

        return self._done(request, pk, leave)


def also_left(request: Request) -> bool:
    """Return whether emails that an earlier decision left are included.

    Args:
        request: The request, with the query parameter `left`.

    Returns:
        Whether they are.

    Raises:
        ValidationError: The value is neither true nor false.
    """
    try:
        return flag(request.query_params.get("left", "false"))
    except ValueError as error:
        raise ValidationError({"left": [f"It must be {error}."]}) from None


class EstimateMailbox(ApiView):
    """The estimate of the first sync."""

    needs: ClassVar = {"POST": OPERATE}

    @answers(body=Checked)
    def post(self, request: Request, pk: int) -> Response:
        """Estimate how many emails the first sync delivers. Takes up to 20 s."""
        return Response(finding_data(dry_runs.cost_of_mailbox(one(Mailbox.objects.select_related("integration"), pk))))


def folders_of(pk: int) -> QuerySet[SyncedFolder]:
    """Return the folders of a mailbox that are synced.

    Args:
        pk: The primary key of the mailbox.

    Returns:
        The folders.

    Raises:
        Http404: There is no such mailbox.
    """
    return SyncedFolder.objects.filter(mailbox=one(Mailbox.objects.all(), pk), gone=False, holds_mail=True)


def rows() -> QuerySet[Any]:
    """Return all mailboxes with their state, integration, bucket and destination."""
    with_status = status.with_status(Mailbox.objects.all(), timezone.now())
    return with_status.select_related("integration", "bucket__destination", "state")


def documents(page: list[Any]) -> list[dict[str, Any]]:
    """Return mailboxes in the format of Re:infer with the state of their sync.

    The number of queries does not depend on the number of mailboxes.

    Args:
        page: Mailboxes of `rows`.

    Returns:
        One document for each.
    """
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
    """Return the body after its types are checked."""
    MailboxSerializer(data=request.data, partial=partial).is_valid(raise_exception=True)
    return dict(request.data)
