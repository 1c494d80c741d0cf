"""The page that switches an integration from EWS to Graph or back. It can show the effect on each mailbox first."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from integrations.forms.switch import SwitchForm
from integrations.models import Integration
from operations import api_migration
from operations.actor import Actor
from operations.results import ActionRefused

PER_PAGE = 50
Api = Integration.Api


@require_http_methods(["GET", "HEAD", "POST"])
def switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the form (GET), check one page of mailboxes (POST), or switch the API (POST with `do`).

    Args:
        request: the request
        pk: primary key of the integration

    Returns:
        The page, or a redirect after a switch.

    Raises:
        Http404: there is no such integration
    """
    integration = get_object_or_404(Integration, pk=pk)
    api = Api.EWS if integration.microsoft_api == Api.GRAPH else Api.GRAPH
    form = SwitchForm(request.POST or None, integration=integration)
    page = Paginator(integration.mailboxes.order_by("pk"), PER_PAGE).get_page(request.POST.get("page"))
    context = {"integration": integration, "api": api, "label": api.label, "form": form, "page": page}
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        target = api_migration.target_of(
            integration, api, values["endpoint"], values["authority"], form.entered_secrets()
        )
        if isinstance(target, api_migration.SecretsNeeded):
            for name, problem in target.problems.items():
                form.add_error(name, problem)
            return render(request, "integrations/switch.html", context)
        if isinstance(target, ActionRefused):
            return render(request, "integrations/switch.html", {**context, "problem": target.text})
        if "do" in request.POST:
            return _switched(request, integration, target, context, anyway=values["anyway"])
        checks = api_migration.check_mailboxes(Actor.of_request(request), integration, target, list(page.object_list))
        context |= {"checks": checks, "target": target, "summary": api_migration.summary(checks)}
        context["tone"] = "ok" if all(one.ok and not one.not_listed for one in checks) else "warn"
    return render(request, "integrations/switch.html", context)


def _switched(
    request: HttpRequest,
    integration: Integration,
    target: api_migration.Target,
    context: dict[str, object],
    *,
    anyway: bool,
) -> HttpResponse:
    sentence = api_migration.switch(Actor.of_request(request), integration, target, anyway=anyway)
    if isinstance(sentence, ActionRefused):
        return render(request, "integrations/switch.html", {**context, "problem": sentence.text})
    messages.success(request, sentence)
    return redirect("integration", integration.pk)
