"""Integrations for Re:infer's client."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from access.table import ADMINISTER, VIEW
from api.problems import Conflict, Unprocessable
from api.reinfer_compat.base import VendorView, hex_id, inner, ok, pk_of
from api.reinfer_compat.keeping import with_what_is_kept
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

MOST_ERRORS = 1_000


class ReinferIntegrations(VendorView):
    """The integrations."""

    needs: ClassVar = {"GET": VIEW}

    def get(self, request: Request, project: str = "") -> Response:
        """List the integrations, of one project or all."""
        rows = Integration.objects.filter(project=project) if project else Integration.objects.all()
        return ok(integrations=[document(row) for row in with_mailboxes(rows)])


class ReinferIntegration(VendorView):
    """An integration by its name."""

    needs: ClassVar = {"GET": VIEW, "PUT": ADMINISTER, "POST": ADMINISTER}

    def get(self, request: Request, project: str, name: str) -> Response:
        """Return the integration."""
        return ok(integration=document(integration_of(project, name)))

    def put(self, request: Request, project: str, name: str) -> Response:
        """Create the integration. The client sends no secrets, so it is stopped until they are entered."""
        if Integration.objects.filter(project=project, name=name).exists():
            raise Conflict("An integration with this name exists.")
        return self._write(request, project, name)

    def post(self, request: Request, project: str, name: str) -> Response:
        """Change the integration. Secrets that are left out stay."""
        return self._write(request, project, name, integration_of(project, name))

    def _write(self, request: Request, project: str, name: str, there: Integration | None = None) -> Response:
        wanted = {**inner(request, "integration"), "owner": project, "name": name}
        if there is not None:
            wanted = with_what_is_kept(wanted, exported(there), document(there))
        with Documents():
            # Unknown keys are ignored, so that an older server works with a newer client.
            plan = planned(read_document(wanted, project, name))
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
            raise Unprocessable("A sync is just ending. Try again in a moment.")
        return ok()


class IntegrationErrors(VendorView):
    """The failed sync runs of an integration."""

    needs: ClassVar = {"GET": VIEW}

    def get(self, request: Request, project: str, name: str) -> Response:
        """List the failed sync runs, at most `MOST_ERRORS`."""
        row = integration_of(project, name)
        runs = error_summary.failed_runs(row, database_now()).select_related("mailbox__integration")[:MOST_ERRORS]
        return ok(errors=[{**error_document(run), "integration_id": hex_id(row.pk)} for run in runs])


def document(row: Integration) -> dict[str, Any]:
    """Return an integration in the format of the client.

    The client reads one kind of connection. Another kind makes it reject its whole list, so the connection is left out.

    Args:
        row: The integration.

    Returns:
        The document.
    """
    found = exported(row)
    configuration = {"mailboxes": found["configuration"]["mailboxes"]}
    by_user = row.auth in (Integration.Auth.OAUTH2, Integration.Auth.SERVICE_USER) and row.username
    if by_user and row.microsoft_api == Integration.Api.EWS:
        connection = found["configuration"]["connection"]
        configuration["connection"] = {**connection, "access": {"kind": "user_access", "username": row.username}}
    return {
        **found,
        "id": hex_id(row.pk),
        "integration_type": found["type"],
        "created_at": row.created_at.isoformat(),
        **({"disabled_reason": row.disabled_reason} if row.disabled_reason else {}),
        "configuration": configuration,
    }


def _by_id(hex_pk: str) -> Integration:
    row = Integration.objects.filter(pk=pk_of(hex_pk)).first()
    if row is None:
        raise Http404
    return row
