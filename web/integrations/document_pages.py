"""The pages that import and export an integration as one document."""

from __future__ import annotations

import json

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from access.body_limits import accepts_body
from integrations.models import Integration
from operations import integration_actions
from operations.actor import Actor
from operations.documents.desired import DocumentWrong
from operations.documents.plan import Plan
from operations.documents.stored import exported
from web.integrations.document_form import ConfirmImportForm, ImportForm

IMPORT_BYTES = 8 * 1024 * 1024
"""Maximum size of a body in bytes. A character of a document has up to four bytes, and encryption adds a third."""


@sensitive_post_parameters("document", "sealed")
@accepts_body(IMPORT_BYTES)
@require_http_methods(["GET", "HEAD", "POST"])
def import_(request: HttpRequest) -> HttpResponse:
    """Show the form for a document, then the changes that it would make; apply them after a confirmation.

    Args:
        request: the request

    Returns:
        The form, the changes, or a redirect after the import.
    """
    if "sealed" in request.POST:
        return _confirmed(request)
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid() and form.plan is not None:
        return _review(request, form.plan, form.sealed)
    return render(request, "integrations/import.html", {"form": form})


def _confirmed(request: HttpRequest) -> HttpResponse:
    form = ConfirmImportForm(request.POST)
    if not form.is_valid() or form.plan is None:
        problem = " ".join(str(text) for text in form.non_field_errors()) or "Paste the document again."
        if form.plan is not None:
            messages.error(request, problem)
            return _review(request, form.plan, request.POST["sealed"])
        return render(request, "integrations/import.html", {"form": ImportForm(), "problem": problem})
    try:
        integration = integration_actions.apply_document(Actor.of_request(request), form.plan, imported=True)
    except DocumentWrong as wrong:
        return render(request, "integrations/import.html", {"form": ImportForm(), "problem": " ".join(wrong.problems)})
    messages.success(request, f"{integration} is imported.")
    return redirect("integration", integration.pk)


def _review(request: HttpRequest, plan: Plan, sealed: str) -> HttpResponse:
    first = {"sealed": sealed, "digest": plan.digest}
    first |= {name: request.POST.get(name, "") for name in ("project", "name")}
    return render(request, "integrations/import_review.html", {"plan": plan, "form": ConfirmImportForm(initial=first)})


@require_safe
def export(request: HttpRequest, pk: int) -> HttpResponse:
    """Download the document of an integration as a JSON file.

    Args:
        request: the request
        pk: primary key of the integration

    Returns:
        The file.

    Raises:
        Http404: there is no such integration
    """
    integration = get_object_or_404(Integration, pk=pk)
    text = json.dumps(exported(integration), indent=2, ensure_ascii=False) + "\n"
    response = HttpResponse(text, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{integration.project[:80]}-{integration.name[:80]}.json"'
    return response
