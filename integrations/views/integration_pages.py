"""The pages of integrations: the list, one of them with its mailboxes, its form, its buttons."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access import history
from integrations.forms import IntegrationForm
from integrations.models import Integration
from integrations.sealing import problem_with_secrets
from integrations.views.answers import back, deleted, found, live_page
from mailboxes.models import Mailbox
from sync import actions, figures, status

PER_PAGE = 50
SOME = 3
"""A search is offered from more mailboxes than these on."""


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """All integrations, each with its state in words."""
    now = timezone.now()
    counts = status.count_by_integration(now)
    rows = [
        {
            "integration": integration,
            "standing": status.integration_standing(integration, counts.get(integration.pk, {}), now),
            "mailboxes": sum(counts.get(integration.pk, {}).values()),
        }
        for integration in Integration.objects.all()
    ]
    return live_page(request, "integrations/list.html", "integrations/_list.html", {"rows": rows})


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One integration: state, buttons, test, and its mailboxes, by page, filtered by address and state."""
    integration = get_object_or_404(Integration, pk=pk)
    now = timezone.now()
    counts = status.count_by_status(integration.mailboxes.all(), now)
    mailboxes, search, chosen = _filtered(integration, request)
    page = Paginator(mailboxes, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "integration": integration,
        "standing": status.integration_standing(integration, counts, now),
        "page": page,
        "rows": figures.mailbox_rows(list(page.object_list), now),
        "total": sum(counts.values()),
        "search": search,
        "chosen": chosen,
        "states": status.choices(counts),
        "searchable": sum(counts.values()) > SOME,
        "secret_problem": problem_with_secrets(integration.password, integration.client_secret),
    }
    return live_page(request, "integrations/detail.html", "integrations/_detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def select(request: HttpRequest, pk: int) -> HttpResponse:
    """Many mailboxes at once: tick them, or all that the filter shows, and press a button. It does not refresh by itself,
    so that no tick is lost."""
    integration = get_object_or_404(Integration, pk=pk)
    mailboxes, search, chosen = _filtered(integration, request)
    if request.method == "POST":
        act = actions.MANY.get(request.POST.get("act", ""))
        ticked = [int(text) for text in request.POST.getlist("mailbox") if text.isdecimal() and len(text) < 18]
        everything = request.POST.get("all") == "shown"
        picked = list(mailboxes if everything else mailboxes.filter(pk__in=ticked))
        if act is None or not picked:
            return back(request, "Tick the mailboxes first, then press a button.", _url(pk), good=False)
        return back(request, act(picked), _url(pk))
    context = {
        "integration": integration,
        "mailboxes": [(mailbox, status.status_of(mailbox)) for mailbox in mailboxes],
        "search": search,
        "chosen": chosen,
        "states": status.choices(status.count_by_status(integration.mailboxes.all(), timezone.now())),
    }
    return render(request, "integrations/select.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    form = IntegrationForm(request.POST or None)
    if request.method == "POST" and form.stored():
        history.record(request, f"{form.instance} was added.", changes=form.changes_in_words(), about=form.instance)
        messages.success(
            request, f"{form.instance} is saved. Add its mailboxes, test the connection, then press Start."
        )
        return redirect("integration", form.instance.pk)
    return render(request, "integrations/form.html", {"form": form, "title": "New integration"})


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    integration = get_object_or_404(Integration, pk=pk)
    title = str(integration)
    form = IntegrationForm(request.POST or None, instance=integration)
    if request.method == "POST" and form.stored():
        history.record(request, f"{form.instance} was changed.", changes=form.changes_in_words(), about=form.instance)
        integration.refresh_from_db()
        actions.settings_changed(integration)
        messages.success(request, f"{integration} is saved. It takes effect at the next sync.")
        return redirect("integration", pk)
    problem = "" if request.method == "POST" else problem_with_secrets(integration.password, integration.client_secret)
    context = {"form": form, "title": title, "integration_id": pk, "secret_problem": problem}
    return render(request, "integrations/form.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask first, and say what stays. A running sync ends between two batches, since it is stopped before."""
    integration = get_object_or_404(Integration, pk=pk)
    if request.method == "POST":
        actions.stop_integration(integration)
        if not deleted(integration):
            return back(request, "A sync is just ending. Press Delete again in a moment.", _url(pk), good=False)
        history.record(request, f"{integration} was deleted.")
        messages.success(request, f"{integration} is deleted.")
        return redirect("integrations")
    context = {"integration": integration, "mailboxes": Mailbox.objects.filter(integration=integration).count()}
    return render(request, "integrations/delete.html", context)


@require_POST
def start(request: HttpRequest, pk: int) -> HttpResponse:
    return back(request, actions.start_integration(get_object_or_404(Integration, pk=pk)), _url(pk))


@require_POST
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    return back(request, actions.stop_integration(get_object_or_404(Integration, pk=pk)), _url(pk))


@require_POST
def test(request: HttpRequest, pk: int) -> HttpResponse:
    """Talk to Exchange now. Slow at times: the page shows that it goes on."""
    integration = get_object_or_404(Integration, pk=pk)
    address = request.POST.get("address", "").strip() or None
    return found(request, actions.test_connection(integration, address), _url(pk))


def _filtered(
    integration: Integration, request: HttpRequest
) -> tuple[QuerySet[status.JudgedMailbox], str, status.Status | None]:
    """The mailboxes that a search for an address and a state leaves, and the two."""
    search, chosen = request.GET.get("q", "").strip(), status.parse_status(request.GET.get("state"))
    mailboxes = status.with_status(integration.mailboxes.all(), timezone.now()).select_related(
        "integration", "bucket__destination", "state"
    )
    if search:
        mailboxes = mailboxes.filter(address__icontains=search.replace("\0", ""))
    if chosen:
        mailboxes = mailboxes.filter(status=chosen)
    return mailboxes, search, chosen


def _url(pk: int) -> str:
    return reverse("integration", args=[pk])
