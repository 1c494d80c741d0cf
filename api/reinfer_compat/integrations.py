"""Integrations for Re:infer's client."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from access.table import ADMINISTER, VIEW
from api.problems import Conflict, Unprocessable
from api.reinfer_compat.base import VendorView, hex_id, inner, ok, pk_of
from api.reinfer_compat.dropped_values import restore_dropped_values
from api.views.base import Documents
from api.views.integrations import check_seen, integration_of
from api.views.syncing import error_document
from integrations.models import Integration
from operations import integration_actions
from operations.actor import Actor
from operations.documents.plan import planned
from operations.documents.reading import read_document
from operations.documents.stored import exported, with_mailboxes
from sync.reporting import error_summary
from sync.store.lease import database_now

MAX_ERRORS = 1_000
"""Maximum number of failed sync runs in a response."""


class ReinferIntegrations(VendorView):
    """The integrations."""

    needs: ClassVar = {"GET": VIEW}

    def get(self, request: Request, project: str = "") -> Response:
        """List the integrations of one project, or all integrations."""
        rows = Integration.objects.filter(project=project) if project else Integration.objects.all()
        return ok(integrations=[document(row) for row in with_mailboxes(rows)])


class ReinferIntegration(VendorView):
    """An integration by its name."""

    needs: ClassVar = {"GET": VIEW, "PUT": ADMINISTER, "POST": ADMINISTER}

    def get(self, request: Request, project: str, name: str) -> Response:
        """Return the integration."""
        return ok(integration=document(integration_of(project, name)))

    def put(self, request: Request, project: str, name: str) -> Response:
        """Create the integration. It is stopped until its secrets are entered, because the client sends no secrets."""
        if Integration.objects.filter(project=project, name=name).exists():
            raise Conflict("An integration with this name exists already.")
        return self._write(request, project, name)

    def post(self, request: Request, project: str, name: str) -> Response:
        """Change the integration. Omitted secrets do not change."""
        return self._write(request, project, name, integration_of(project, name))

    def _write(self, request: Request, project: str, name: str, stored: Integration | None = None) -> Response:
        sent = {**inner(request, "integration"), "owner": project, "name": name}
        if stored is not None:
            sent = restore_dropped_values(sent, exported(stored), document(stored))
        with Documents():
            # Unknown keys are ignored, so that a newer client can use an older server.
            plan = planned(read_document(sent, project, name))
            check_seen(plan)
            if plan.is_empty and plan.integration is not None:
                row = plan.integration
            else:
                row = integration_actions.apply_document(Actor.of_request(request), plan, secrets_later=True)
        return ok(integration=document(row))


class IntegrationById(VendorView):
    """An integration by its id."""

    needs: ClassVar = {"GET": VIEW, "DELETE": ADMINISTER}

    def get(self, request: Request, hex_pk: str) -> Response:
        """Return the integration."""
        return ok(integration=document(_by_id(hex_pk)))

    def delete(self, request: Request, hex_pk: str) -> Response:
        """Delete the integration with its mailboxes."""
        row = _by_id(hex_pk)
        if not integration_actions.delete(Actor.of_request(request), row):
            raise Unprocessable("A sync of this integration is still running. Try again in a few seconds.")
        return ok()


class IntegrationErrors(VendorView):
    """The failed sync runs of an integration in the last 30 days."""

    needs: ClassVar = {"GET": VIEW}

    def get(self, request: Request, project: str, name: str) -> Response:
        """List the failed sync runs of the last 30 days. If there are more than `MAX_ERRORS`, only the newest are listed."""
        row = integration_of(project, name)
        runs = error_summary.failed_runs(row, database_now()).select_related("mailbox__integration")[:MAX_ERRORS]
        return ok(errors=[{**error_document(run), "integration_id": hex_id(row.pk)} for run in runs])


def document(row: Integration) -> dict[str, Any]:
    """Return an integration in the format of the client.

    The client can parse only EWS connections that sign in as a user. If any integration in a list had another connection,
    the client would reject the whole list. So the document contains the connection only if the client can parse it.

    Args:
        row: The integration.

    Returns:
        The document.
    """
    content = exported(row)
    configuration = {"mailboxes": content["configuration"]["mailboxes"]}
    by_user = row.auth in (Integration.Auth.OAUTH2, Integration.Auth.SERVICE_USER) and row.username
    if by_user and row.microsoft_api == Integration.Api.EWS:
        connection = content["configuration"]["connection"]
        configuration["connection"] = {**connection, "access": {"kind": "user_access", "username": row.username}}
    return {
        **content,
        "id": hex_id(row.pk),
        "integration_type": content["type"],
        "created_at": row.created_at.isoformat(),
        **({"disabled_reason": row.disabled_reason} if row.disabled_reason else {}),
        "configuration": configuration,
    }


def _by_id(hex_pk: str) -> Integration:
    row = Integration.objects.filter(pk=pk_of(hex_pk)).first()
    if row is None:
        raise Http404
    return row
