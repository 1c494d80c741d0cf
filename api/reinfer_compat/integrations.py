"""Integrations for the vendor's client."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from access import history
from access.table import ADMINISTER, VIEW
from api.problems import Conflict, Unprocessable
from api.reinfer_compat.base import VendorView, hex_id, inner, ok, pk_of
from api.reinfer_compat.keeping import with_what_is_kept
from api.views.base import Documents
from api.views.integrations import check_seen, integration_of
from api.views.syncing import error_document
from integrations.models import Integration
from operations import actions
from operations.documents.applying import apply
from operations.documents.plan import planned
from operations.documents.reading import read_document
from operations.documents.stored import exported, with_mailboxes
from operations.documents.words import changes_in_words
from sync.reporting import error_summary
from sync.store.lease import database_now

MOST_ERRORS = 1_000


class ReinferIntegrations(VendorView):
    needs: ClassVar = {"GET": VIEW}

    def get(self, request: Request, project: str = "") -> Response:
        rows = Integration.objects.filter(project=project) if project else Integration.objects.all()
        return ok(integrations=[document(row) for row in with_mailboxes(rows)])


class ReinferIntegration(VendorView):
    needs: ClassVar = {"GET": VIEW, "PUT": ADMINISTER, "POST": ADMINISTER}

    def get(self, request: Request, project: str, name: str) -> Response:
        return ok(integration=document(integration_of(project, name)))

    def put(self, request: Request, project: str, name: str) -> Response:
        """Create. Of secrets the client knows nothing: without them the integration waits, stopped, until they are entered."""
        if Integration.objects.filter(project=project, name=name).exists():
            raise Conflict("An integration of this name exists already.")
        return self._write(request, project, name)

    def post(self, request: Request, project: str, name: str) -> Response:
        """Update. Secrets that are left out stay."""
        return self._write(request, project, name, integration_of(project, name))

    def _write(self, request: Request, project: str, name: str, there: Integration | None = None) -> Response:
        wanted = {**inner(request, "integration"), "owner": project, "name": name}
        if there is not None:
            wanted = with_what_is_kept(wanted, exported(there), document(there))
        with Documents():
            # What a newer client says beyond what we know must not keep an older server from working.
            plan = planned(read_document(wanted, project, name))
            check_seen(plan)
            row = plan.integration if plan.is_empty and plan.integration else apply(plan, secrets_later=True)
        if not plan.is_empty:
            changed = "changed" if plan.integration else "added"
            history.record(request, f"{row} was {changed}.", changes=changes_in_words(plan), about=row)
            actions.settings_changed(row)
        return ok(integration=document(row))


class IntegrationById(VendorView):
    needs: ClassVar = {"GET": VIEW, "DELETE": ADMINISTER}

    def get(self, request: Request, hex_pk: str) -> Response:
        return ok(integration=document(_by_id(hex_pk)))

    def delete(self, request: Request, hex_pk: str) -> Response:
        row = _by_id(hex_pk)
        if not actions.delete_integration(row):
            raise Unprocessable("A sync is just ending. Try again in a moment.")
        history.record(request, f"{row} was deleted.")
        return ok()


class IntegrationErrors(VendorView):
    needs: ClassVar = {"GET": VIEW}

    def get(self, request: Request, project: str, name: str) -> Response:
        row = integration_of(project, name)
        runs = error_summary.failed_runs(row, database_now()).select_related("mailbox__integration")[:MOST_ERRORS]
        return ok(errors=[{**error_document(run), "integration_id": hex_id(row.pk)} for run in runs])


def document(row: Integration) -> dict[str, Any]:
    """As the client can parse it: it knows one kind of connection, and one that it does not know breaks its whole list."""
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
