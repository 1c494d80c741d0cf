"""Views of integrations: list, apply a document, start, stop, test, and switch between EWS and Graph."""

from __future__ import annotations

import hashlib
import json
from typing import Any, ClassVar

from django.core.paginator import Paginator
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from access.table import ADMINISTER, OPERATE, VIEW
from api.examples import INTEGRATIONS as EXAMPLES
from api.examples import SWITCHES
from api.filters import flag, parameter, words
from api.problems import Conflict, PreconditionFailed, Unprocessable
from api.serializers.integrations import (
    IntegrationLine,
    IntegrationSerializer,
    PlanSerializer,
    SwitchAnswer,
    SwitchSerializer,
)
from api.serializers.responses import ActionAnswerSerializer, Checked
from api.views.base import ApiView, Documents, Listed, action_response, answers, finding_data
from integrations.forms.switch import SwitchForm
from integrations.models import Integration
from mailboxes.filter_text import problem_with_address
from operations import api_migration, connection_tests, dry_runs, integration_actions
from operations.actor import Actor
from operations.documents.applying import on_trial
from operations.documents.plan import Plan, planned
from operations.documents.plan_lines import change_lines
from operations.documents.reading import read_document
from operations.documents.stored import exported
from operations.results import ActionRefused

IF_MATCH = OpenApiParameter("If-Match", str, OpenApiParameter.HEADER, description="The ETag of an earlier response.")
YES_OR_NO = {"": False, "0": False, "false": False, "1": True, "true": True}
DRY_RUN = parameter("dry_run", "1: return the changes without making them.")
UNKNOWN = parameter("unknown", "ignore: ignore unknown keys instead of rejecting them.")
OR_PLAN = PolymorphicProxySerializer(
    "IntegrationOrPlan", [IntegrationSerializer, PlanSerializer], resource_type_field_name=None
)
DRY_SWITCH = parameter("dry_run", "1: check one page of mailboxes, and return the results without switching.")
CHECK_PAGE = parameter(
    "page", "Number of the page of mailboxes that a dry run checks. A page has up to 50 mailboxes. Default: 1."
)
CHECKED_AT_ONCE = 50
"""Maximum number of mailboxes that one dry run checks."""
ADDRESS = parameter("address", "Address of the mailbox to test with. Default: the first mailbox.")


class IntegrationsView(Listed):
    """The integrations: connections to Exchange."""

    needs: ClassVar = {"GET": VIEW}
    queryset = Integration.objects.all()
    serializer_class = IntegrationLine
    filters: ClassVar = {
        "project": ("project", words),
        "name": ("name", words),
        "enabled": ("enabled", flag),
        "disabled_reason": ("disabled_reason", words),
    }
    orderings: ClassVar = {"project": "project", "name": "name", "created_at": "created_at", "updated_at": "updated_at"}

    @answers(body=IntegrationLine(many=True))
    def get(self, request: Request) -> Response:
        """List the integrations. Each is a connection to Exchange."""
        return self.get_paginated_response(IntegrationLine(self.page(), many=True).data)


class IntegrationView(ApiView):
    """An integration with all its mailboxes as one document, in the format of Re:infer."""

    needs: ClassVar = {"GET": VIEW, "PUT": ADMINISTER, "DELETE": ADMINISTER}
    queries: ClassVar = {"PUT": ("dry_run", "unknown")}
    serializer_class = IntegrationSerializer

    @answers(body=IntegrationSerializer)
    def get(self, request: Request, project: str, name: str) -> Response:
        """Return the document, without secrets."""
        return _document(integration_of(project, name))

    @answers(
        *(409, 412, 422),
        given=IntegrationSerializer,
        body=OR_PLAN,
        created=IntegrationSerializer,
        parameters=[IF_MATCH, DRY_RUN, UNKNOWN],
        examples=EXAMPLES,
    )
    def put(self, request: Request, project: str, name: str) -> Response:
        """Create the integration, or change it to the state of the document.

        Mailboxes that are not in the document are deleted. Repeating the request changes nothing. Omitted secrets do not
        change. But a secret is required again when the endpoint, the kind of sign-in, the sign-in service, the tenant, the
        proxy, the CA bundle or the cipher list changes, or when the minimum TLS version is lowered. If the secret is missing
        then, the response is 422. EWS and Graph of the same Microsoft cloud count as one endpoint. The response is 201 if the
        integration was created.
        """
        plan = _planned(request, project, name)
        _check_match(request, plan.integration)
        if _flag_of(request, "dry_run", YES_OR_NO):
            return Response(_plan(plan))
        if plan.is_empty and plan.integration is not None:
            return _document(plan.integration)
        check_seen(plan)
        with Documents():
            integration = integration_actions.apply_document(Actor.of_request(request), plan)
        return _document(integration, 200 if plan.integration else 201)

    @answers(409, 412, code=204, parameters=[IF_MATCH])
    def delete(self, request: Request, project: str, name: str) -> Response:
        """Delete the integration and its mailboxes. Their comments remain in Re:infer."""
        integration = integration_of(project, name)
        _check_match(request, integration)
        if not integration_actions.delete(Actor.of_request(request), integration):
            raise Conflict("A sync of this integration is still running. Try again in a few seconds.")
        return Response(status=204)


class StartIntegration(ApiView):
    """Start of an integration."""

    needs: ClassVar = {"POST": OPERATE}

    @answers(body=ActionAnswerSerializer)
    def post(self, request: Request, project: str, name: str) -> Response:
        """Start the integration, and close the circuit breakers of its connections.

        Mailboxes that were stopped individually stay stopped.
        """
        integration = integration_of(project, name)
        return action_response(integration_actions.start(Actor.of_request(request), integration))


class StopIntegration(ApiView):
    """Stop of an integration."""

    needs: ClassVar = {"POST": OPERATE}

    @answers(body=ActionAnswerSerializer)
    def post(self, request: Request, project: str, name: str) -> Response:
        """Stop the integration. A running sync ends after its current batch, and no email is lost."""
        integration = integration_of(project, name)
        return action_response(integration_actions.stop(Actor.of_request(request), integration))


class CheckIntegration(ApiView):
    """Connection test of an integration."""

    needs: ClassVar = {"POST": OPERATE}
    queries: ClassVar = {"POST": ("address",)}

    @answers(body=Checked, parameters=[ADDRESS])
    def post(self, request: Request, project: str, name: str) -> Response:
        """Test host name, port, TLS, sign-in, mailbox, folders and the fetch of one email.

        Each request of the test takes up to 20 s. A step of the test can make several requests.
        """
        row, address = integration_of(project, name), _address(request)
        return Response(finding_data(connection_tests.test_integration(Actor.of_request(request), row, address)))


class TryIntegration(ApiView):
    """Connection test of a document that is not stored."""

    needs: ClassVar = {"POST": ADMINISTER}
    queries: ClassVar = {"POST": ("address", "unknown")}

    @answers(422, given=IntegrationSerializer, body=Checked, parameters=[ADDRESS, UNKNOWN], examples=EXAMPLES)
    def post(self, request: Request, project: str, name: str) -> Response:
        """Test the connection of this document without storing it.

        If a secret is omitted, the stored one is used. As for PUT, a secret is required again if the test would send it to a
        server that it was not entered for. An audit entry names the servers and the outcome.
        """
        plan = _planned(request, project, name)
        address = _address(request) or next((desired.address for desired in plan.desired.mailboxes), None)
        with Documents():
            row = on_trial(plan)
        return Response(finding_data(connection_tests.test_integration(Actor.of_request(request), row, address)))


class EstimateIntegration(ApiView):
    """Estimate of the cost of the first syncs of an integration."""

    needs: ClassVar = {"POST": OPERATE}

    @answers(body=Checked)
    def post(self, request: Request, project: str, name: str) -> Response:
        """Estimate how many emails the first syncs deliver, and the maximum cost in AI units. Usually takes up to 20 s."""
        return Response(finding_data(dry_runs.cost_of_integration(integration_of(project, name))))


class Switch(ApiView):
    """Base of the views that switch an integration between EWS and Graph."""

    needs: ClassVar = {"POST": ADMINISTER}
    queries: ClassVar = {"POST": ("dry_run", "page")}
    api: ClassVar[str]

    def _post(self, request: Request, project: str, name: str) -> Response:
        integration = integration_of(project, name)
        serializer = SwitchSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        form = SwitchForm(serializer.validated_data, integration=integration)
        if not form.is_valid():
            raise Unprocessable({name: [str(text) for text in texts] for name, texts in form.errors.items()})
        given = form.cleaned_data
        target = api_migration.target_of(
            integration, self.api, given["endpoint"], given["authority"], form.entered_secrets()
        )
        if isinstance(target, api_migration.SecretsNeeded):
            raise Unprocessable({name: [problem] for name, problem in target.problems.items()})
        if isinstance(target, ActionRefused):
            raise Unprocessable(target.text)
        if _flag_of(request, "dry_run", YES_OR_NO):
            return self._checked(request, integration, target)
        sentence = api_migration.switch(Actor.of_request(request), integration, target, anyway=given["anyway"])
        if isinstance(sentence, ActionRefused):
            raise Conflict(sentence.text)
        return Response(SwitchAnswer({"detail": sentence, "mailboxes": [], "next_page": None}).data)

    def _checked(self, request: Request, integration: Integration, target: api_migration.Target) -> Response:
        rows = Paginator(integration.mailboxes.order_by("pk"), CHECKED_AT_ONCE)
        page = rows.get_page(request.query_params.get("page"))
        checks = api_migration.check_mailboxes(Actor.of_request(request), integration, target, list(page.object_list))
        following = page.next_page_number() if page.has_next() else None
        result = {"detail": api_migration.summary(checks), "mailboxes": checks, "next_page": following}
        return Response(SwitchAnswer(result).data)


class SwitchToGraph(Switch):
    """Switch of an integration to Microsoft Graph."""

    api = Integration.Api.GRAPH

    @answers(
        409, 422, given=SwitchSerializer, body=SwitchAnswer, parameters=[DRY_SWITCH, CHECK_PAGE], examples=SWITCHES
    )
    def post(self, request: Request, project: str, name: str) -> Response:
        """Switch the integration from EWS to Microsoft Graph. Takes up to 25 s.

        Mailboxes, buckets, filters and the ledger do not change, and no comment is pushed twice. Unless `anyway` is true, the
        response is 409 if Graph cannot open one of the running mailboxes in time, or does not list a folder that is read now.
        A secret is required if the switch would send it to a server that it was not entered for: for example, if EWS and
        Graph belong to different Microsoft clouds.
        """
        return self._post(request, project, name)


class SwitchToEws(Switch):
    """Switch of an integration to EWS."""

    api = Integration.Api.EWS

    @answers(
        409, 422, given=SwitchSerializer, body=SwitchAnswer, parameters=[DRY_SWITCH, CHECK_PAGE], examples=SWITCHES
    )
    def post(self, request: Request, project: str, name: str) -> Response:
        """Switch the integration from Graph back to EWS. No comment is pushed twice. Takes up to 25 s.

        This is possible as long as Microsoft offers EWS. Unless `anyway` is true, the response is 409 if EWS cannot open one of
        the running mailboxes in time. A secret is required if the switch would send it to a server that it was not entered for.
        """
        return self._post(request, project, name)


def integration_of(project: str, name: str) -> Integration:
    """Return an integration by its name.

    Args:
        project: The name of the project.
        name: The name of the integration.

    Returns:
        The integration.

    Raises:
        Http404: The integration does not exist.
    """
    row = Integration.objects.filter(project=project.replace("\0", ""), name=name.replace("\0", "")).first()
    if row is None:
        raise Http404
    return row


def _planned(request: Request, project: str, name: str) -> Plan:
    ignores_unknown = _flag_of(request, "unknown", {"": False, "refuse": False, "ignore": True})
    IntegrationSerializer(data=request.data).is_valid(raise_exception=True)
    with Documents():
        desired = read_document(request.data, project, name)
        if (desired.project, desired.name) != (project, name):
            raise Unprocessable("The project and name in the document differ from the URL.")
        if desired.warnings and not ignores_unknown:
            raise Unprocessable({"non_field_errors": list(desired.warnings[:20])})
        return planned(desired)


def _address(request: Request) -> str | None:
    """Return the address of the mailbox to test with. Raise ValidationError if it is not an email address."""
    text = request.query_params.get("address", "")
    if text and (problem_with_address(text) or "\0" in text):
        raise ValidationError({"address": "It must be an email address."})
    return text or None


def _flag_of(request: Request, name: str, known: dict[str, bool]) -> bool:
    """Return the meaning of a query parameter with a few known values. Raise ValidationError for another value."""
    text = request.query_params.get(name, "")
    if text not in known:
        raise ValidationError({name: f"It must be one of {', '.join(filter(None, known))}."})
    return known[text]


def _check_match(request: Request, integration: Integration | None) -> None:
    header = request.META.get("HTTP_IF_MATCH", "")
    if not header:
        return
    tags = {tag.strip() for tag in header.split(",")}
    if integration is None or not tags & {"*", etag(exported(integration))}:
        raise PreconditionFailed


def check_seen(plan: Plan) -> None:
    """Check the optimistic lock of a document: its `updated_at`, if present, must equal the stored one.

    Args:
        plan: The plan for the document.

    Raises:
        Conflict: The `updated_at` differs, so the integration was changed after the document was read.
    """
    seen, latest = plan.desired.updated_at, plan.latest
    if seen is not None and latest is not None and abs((seen - latest).total_seconds()) > 0.001:
        raise Conflict(
            "The integration was changed: its updated_at is not that of your document. Get the document again."
        )


def etag(document: dict[str, Any]) -> str:
    """Return the ETag of a document. Documents that differ only in `updated_at` have the same ETag.

    Args:
        document: The document.

    Returns:
        The ETag.
    """
    content = {key: value for key, value in document.items() if key != "updated_at"}
    return f'"{hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]}"'


def _document(integration: Integration, code: int = 200) -> Response:
    document = exported(integration)
    return Response(document, code, headers={"ETag": etag(document)})


def _plan(plan: Plan) -> dict[str, Any]:
    lines = [{"what": what, "before": before, "after": after} for what, before, after in change_lines(plan)]
    return dict(PlanSerializer({"changes": lines, "warnings": list(plan.desired.warnings)}).data)
