"""The page that switches an integration from EWS to Graph, or back: first what would happen, mailbox by mailbox."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from access import history
from integrations.forms.switch import SwitchForm
from integrations.models import Integration
from operations import api_migration
from operations.actions import ActionRefused

PER_PAGE = 50
Api = Integration.Api


@require_http_methods(["GET", "HEAD", "POST"])
def switch(request: HttpRequest, pk: int) -> HttpResponse:
    """GET asks; POST looks at a page of mailboxes, or, with `do`, switches."""
    integration = get_object_or_404(Integration, pk=pk)
    api = Api.EWS if integration.microsoft_api == Api.GRAPH else Api.GRAPH
    form = SwitchForm(request.POST or None, integration=integration)
    page = Paginator(integration.mailboxes.order_by("pk"), PER_PAGE).get_page(request.POST.get("page"))
    context = {"integration": integration, "api": api, "label": api.label, "form": form, "page": page}
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        target = api_migration.target_of(integration, api, given["endpoint"], given["authority"], form.entered())
        if isinstance(target, api_migration.SecretsNeeded):
            for name, problem in target.problems.items():
                form.add_error(name, problem)
            return render(request, "integrations/switch.html", context)
        if isinstance(target, ActionRefused):
            return render(request, "integrations/switch.html", {**context, "problem": target.text})
        if "do" in request.POST:
            return _switched(request, integration, target, context, anyway=given["anyway"])
        looks = api_migration.look(integration, target, list(page.object_list), by=history.who(request))
        context |= {"looks": looks, "target": target, "summary": api_migration.summary(looks)}
        context["tone"] = "ok" if all(one.ok and not one.not_listed for one in looks) else "warn"
    return render(request, "integrations/switch.html", context)


def _switched(
    request: HttpRequest,
    integration: Integration,
    target: api_migration.Target,
    context: dict[str, object],
    *,
    anyway: bool,
) -> HttpResponse:
    changes = api_migration.changes_in_words(integration, target)
    sentence = api_migration.switch(integration, target, by=history.who(request), anyway=anyway)
    if isinstance(sentence, ActionRefused):
        return render(request, "integrations/switch.html", {**context, "problem": sentence.text})
    history.record(request, sentence, changes=changes, about=integration)
    messages.success(request, sentence)
    return redirect("integration", integration.pk)
