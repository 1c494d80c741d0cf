"""Integrations: listed, put as a whole from one document, started, stopped, tested."""

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

from access import history
from access.table import ADMINISTER, OPERATE, VIEW
from api.examples import INTEGRATIONS as EXAMPLES
from api.examples import SWITCHES
from api.filters import flag, parameter, words
from api.problems import Conflict, PreconditionFailed, Unprocessable
from api.serializers.answers import ActionAnswerSerializer, Checked
from api.serializers.integrations import (
    IntegrationLine,
    IntegrationSerializer,
    PlanSerializer,
    SwitchAnswer,
    SwitchSerializer,
)
from api.views.base import ApiView, Documents, Listed, answers, found, said
from integrations.forms.switch import SwitchForm
from integrations.models import Integration
from mailboxes.filter_text import problem_with_address
from operations import actions, api_migration, dry_runs
from operations.documents.applying import apply, on_trial
from operations.documents.plan import Plan, planned
from operations.documents.reading import read_document
from operations.documents.stored import exported
from operations.documents.words import changes_in_words

IF_MATCH = OpenApiParameter("If-Match", str, OpenApiParameter.HEADER, description="The ETag of the state you saw.")
YES_OR_NO = {"": False, "0": False, "false": False, "1": True, "true": True}
DRY_RUN = parameter("dry_run", "1: answer what would change, and change nothing.")
UNKNOWN = parameter("unknown", "ignore: pass keys over that are not known here, instead of refusing them.")
OR_PLAN = PolymorphicProxySerializer(
    "IntegrationOrPlan", [IntegrationSerializer, PlanSerializer], resource_type_field_name=None
)
LOOK = parameter("dry_run", "1: look at a page of mailboxes, say what would happen to each, and change nothing.")
LOOK_PAGE = parameter("page", "Which page of mailboxes a dry run looks at, of 50 each. Without it: the first.")
LOOKED_AT = 50
"""Mailboxes in a dry run."""
ADDRESS = parameter("address", "The mailbox to test with. Without it: the first.")


class IntegrationsView(Listed):
    """Connections to Exchange."""

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
        return self.get_paginated_response(IntegrationLine(self.page(), many=True).data)


class IntegrationView(ApiView):
    """An integration with all its mailboxes as one document, in the vendor's shape."""

    needs: ClassVar = {"GET": VIEW, "PUT": ADMINISTER, "DELETE": ADMINISTER}
    queries: ClassVar = {"PUT": ("dry_run", "unknown")}
    serializer_class = IntegrationSerializer

    @answers(body=IntegrationSerializer)
    def get(self, request: Request, project: str, name: str) -> Response:
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
        """Create it, or make it as the document says: mailboxes that are not in it are removed. Doing it twice changes
        nothing the second time. Secrets that are left out stay. A secret is needed again with another endpoint, sign-in
        service, tenant, proxy, CA bundle or cipher list, or a lower minimum TLS version: 422 without it. EWS and Graph of
        one cloud of Microsoft count as one endpoint. 201 when it was created."""
        plan = _planned(request, project, name)
        _check_match(request, plan.integration)
        if _wants(request, "dry_run", YES_OR_NO):
            return Response(_told(plan))
        if plan.is_empty and plan.integration is not None:
            return _document(plan.integration)
        check_seen(plan)
        with Documents():
            integration = apply(plan)
        sentence = f"{integration} was {'changed' if plan.integration else 'added'}."
        history.record(request, sentence, changes=changes_in_words(plan), about=integration)
        actions.settings_changed(integration)
        return _document(integration, 200 if plan.integration else 201)

    @answers(409, 412, code=204, parameters=[IF_MATCH])
    def delete(self, request: Request, project: str, name: str) -> Response:
        """With its mailboxes. Their comments stay in Re:infer."""
        integration = integration_of(project, name)
        _check_match(request, integration)
        if not actions.delete_integration(integration):
            raise Conflict("A sync is just ending. Try again in a moment.")
        history.record(request, f"{project}/{name} was deleted.")
        return Response(status=204)


class StartIntegration(ApiView):
    needs: ClassVar = {"POST": OPERATE}

    @answers(body=ActionAnswerSerializer)
    def post(self, request: Request, project: str, name: str) -> Response:
        integration = integration_of(project, name)
        return said(request, actions.start_integration(integration), about=integration)


class StopIntegration(ApiView):
    needs: ClassVar = {"POST": OPERATE}

    @answers(body=ActionAnswerSerializer)
    def post(self, request: Request, project: str, name: str) -> Response:
        """A sync that is running ends between two batches; nothing is lost."""
        integration = integration_of(project, name)
        return said(request, actions.stop_integration(integration), about=integration)


class CheckIntegration(ApiView):
    needs: ClassVar = {"POST": OPERATE}
    queries: ClassVar = {"POST": ("address",)}

    @answers(body=Checked, parameters=[ADDRESS])
    def post(self, request: Request, project: str, name: str) -> Response:
        """Name, port, TLS, sign-in, mailbox, folders, one email. Takes up to 20 s a step."""
        return Response(
            found(actions.test_connection(integration_of(project, name), _address(request), by=history.who(request)))
        )


class TryIntegration(ApiView):
    needs: ClassVar = {"POST": ADMINISTER}
    queries: ClassVar = {"POST": ("address", "unknown")}

    @answers(422, given=IntegrationSerializer, body=Checked, parameters=[ADDRESS, UNKNOWN], examples=EXAMPLES)
    def post(self, request: Request, project: str, name: str) -> Response:
        """Check the connection of this document, and keep nothing of it. Secrets that are left out are those stored; as for
        PUT, they are needed again where they would be sent elsewhere. The history names the servers and the outcome."""
        plan = _planned(request, project, name)
        address = _address(request) or next((wish.address for wish in plan.wish.mailboxes), None)
        with Documents():
            row = on_trial(plan)
        return Response(found(actions.test_connection(row, address, by=history.who(request))))


class EstimateIntegration(ApiView):
    needs: ClassVar = {"POST": OPERATE}

    @answers(body=Checked)
    def post(self, request: Request, project: str, name: str) -> Response:
        """How many emails a first sync brings, and so how many AI units it can cost. Takes up to 20 s."""
        return Response(found(dry_runs.cost_of_integration(integration_of(project, name))))


class Switch(ApiView):
    """Base of the two ways."""

    needs: ClassVar = {"POST": ADMINISTER}
    queries: ClassVar = {"POST": ("dry_run", "page")}
    api: ClassVar[str]

    def _post(self, request: Request, project: str, name: str) -> Response:
        integration = integration_of(project, name)
        asked = SwitchSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        form = SwitchForm(asked.validated_data, integration=integration)
        if not form.is_valid():
            raise Unprocessable({name: [str(text) for text in texts] for name, texts in form.errors.items()})
        given = form.cleaned_data
        target = api_migration.target_of(integration, self.api, given["endpoint"], given["authority"], form.entered())
        if isinstance(target, api_migration.SecretsNeeded):
            raise Unprocessable({name: [problem] for name, problem in target.problems.items()})
        if isinstance(target, actions.ActionRefused):
            raise Unprocessable(target.text)
        if _wants(request, "dry_run", YES_OR_NO):
            return self._looked(request, integration, target)
        changes = api_migration.changes_in_words(integration, target)
        sentence = api_migration.switch(integration, target, by=history.who(request), anyway=given["anyway"])
        if isinstance(sentence, actions.ActionRefused):
            raise Conflict(sentence.text)
        history.record(request, sentence, changes=changes, about=integration)
        return Response(SwitchAnswer({"detail": sentence, "mailboxes": [], "next_page": None}).data)

    def _looked(self, request: Request, integration: Integration, target: api_migration.Target) -> Response:
        rows = Paginator(integration.mailboxes.order_by("pk"), LOOKED_AT)
        page = rows.get_page(request.query_params.get("page"))
        looks = api_migration.look(integration, target, list(page.object_list), by=history.who(request))
        following = page.next_page_number() if page.has_next() else None
        told = {"detail": api_migration.summary(looks), "mailboxes": looks, "next_page": following}
        return Response(SwitchAnswer(told).data)


class SwitchToGraph(Switch):
    api = Integration.Api.GRAPH

    @answers(409, 422, given=SwitchSerializer, body=SwitchAnswer, parameters=[LOOK, LOOK_PAGE], examples=SWITCHES)
    def post(self, request: Request, project: str, name: str) -> Response:
        """Read Exchange Online by Microsoft Graph from now on. Mailboxes, buckets, filters and ledger stay; nothing is sent
        twice. 409 while a mailbox cannot be opened by Graph, unless `anyway`. The secret is needed again where the other API is
        not that of the same cloud of Microsoft. Takes up to 25 s."""
        return self._post(request, project, name)


class SwitchToEws(Switch):
    api = Integration.Api.EWS

    @answers(409, 422, given=SwitchSerializer, body=SwitchAnswer, parameters=[LOOK, LOOK_PAGE], examples=SWITCHES)
    def post(self, request: Request, project: str, name: str) -> Response:
        """Back to EWS, while it lives. Nothing is sent twice; emails are read once more. Takes up to 25 s."""
        return self._post(request, project, name)


def integration_of(project: str, name: str) -> Integration:
    """Raises Http404."""
    row = Integration.objects.filter(project=project.replace("\0", ""), name=name.replace("\0", "")).first()
    if row is None:
        raise Http404
    return row


def _planned(request: Request, project: str, name: str) -> Plan:
    passes_over = _wants(request, "unknown", {"": False, "refuse": False, "ignore": True})
    IntegrationSerializer(data=request.data).is_valid(raise_exception=True)
    with Documents():
        wish = read_document(request.data, project, name)
        if (wish.project, wish.name) != (project, name):
            raise Unprocessable("The document bears another project and name than the address.")
        if wish.warnings and not passes_over:
            raise Unprocessable({"non_field_errors": list(wish.warnings[:20])})
        return planned(wish)


def _address(request: Request) -> str | None:
    """Of the mailbox to test with. Raises ValidationError."""
    text = request.query_params.get("address", "")
    if text and (problem_with_address(text) or "\0" in text):
        raise ValidationError({"address": "It must be an email address."})
    return text or None


def _wants(request: Request, name: str, known: dict[str, bool]) -> bool:
    """Raises ValidationError for a word that it does not know: none is a wish for the other thing."""
    text = request.query_params.get(name, "")
    if text not in known:
        raise ValidationError({name: f"It must be one of {', '.join(filter(None, known))}."})
    return known[text]


def _check_match(request: Request, integration: Integration | None) -> None:
    wanted = request.META.get("HTTP_IF_MATCH", "")
    if not wanted:
        return
    tags = {tag.strip() for tag in wanted.split(",")}
    if integration is None or not tags & {"*", etag(exported(integration))}:
        raise PreconditionFailed


def check_seen(plan: Plan) -> None:
    """The vendor's own lock: a document that says from which state it was made must not undo a later one."""
    seen, latest = plan.wish.updated_at, plan.latest
    if seen is not None and latest is not None and abs((seen - latest).total_seconds()) > 0.001:
        raise Conflict("It was changed since the updated_at of your document. Get it again.")


def etag(document: dict[str, Any]) -> str:
    """Two documents that say the same have the same."""
    told = {key: value for key, value in document.items() if key != "updated_at"}
    return f'"{hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]}"'


def _document(integration: Integration, code: int = 200) -> Response:
    document = exported(integration)
    return Response(document, code, headers={"ETag": etag(document)})


def _told(plan: Plan) -> dict[str, Any]:
    lines = [{"what": what, "before": before, "after": after} for what, before, after in changes_in_words(plan)]
    return dict(PlanSerializer({"changes": lines, "warnings": list(plan.wish.warnings)}).data)
