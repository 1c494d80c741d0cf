"""The pages of integrations: list, detail with its tabs, form and buttons."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access.body_limits import accepts_body
from access.history import Subject
from access.models import AuditEntry
from integrations.bidi import closed
from integrations.catalogue import entry_of
from integrations.certificates import ValidityNote, note
from integrations.ews_retirement import End, end_of_ews, is_concerned
from integrations.forms import IntegrationForm
from integrations.forms.integration import NOT_FOR_TESTING
from integrations.models import Integration
from integrations.sealing import problem_with_secrets
from mailboxes.models import Bucket, Mailbox
from operations import connection_tests, dry_runs, integration_actions, mailbox_actions
from operations.actor import Actor
from operations.documents.stored import exported
from operations.results import Finding
from sync.jobs import causes
from sync.reporting import error_summary, integration_status, mailbox_counters, status
from web.integrations.params import parse_number
from web.integrations.responses import button, by_htmx, finding_response, live_page, redirect_back

PER_PAGE = 50
REFRESH_WHILE_SYNCING = "2s"
"""Interval at which the live part refreshes itself while a sync runs, so that the progress is visible."""
FORM_BYTES = 1024 * 1024
"""Maximum size of the form in bytes. Its largest parts are a CA bundle and a file with key and certificates."""
MAX_LISTED = 500
"""Maximum number of mailboxes that are listed with a tick box. The box *All … that match* also includes mailboxes that are not
listed."""
SEARCH_ABOVE = 3
"""The search field is shown if there are more mailboxes than this number."""


def _row(pk: int) -> Integration:
    return get_object_or_404(Integration, pk=pk)


def _page(integration: Integration) -> str:
    return _url(integration.pk)


def _url(pk: int) -> str:
    return reverse("integration", args=[pk])


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """List all integrations, each with a sentence about its state.

    Args:
        request: the request

    Returns:
        The page, or its live part for htmx.
    """
    now = timezone.now()
    counts = integration_status.count_by_integration(now)
    rows = [
        {
            "integration": integration,
            "summary": integration_status.integration_standing(
                integration, counts.get(integration.pk, integration_status.StatusCounts()), now
            ),
            "mailboxes": sum(counts.get(integration.pk, {}).values()),
        }
        for integration in Integration.objects.all()
    ]
    return live_page(request, "integrations/list.html", "integrations/_list.html", {"rows": rows})


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one integration: state, buttons, test, and its mailboxes, paged and filtered by address and state.

    Args:
        request: the request
        pk: primary key of the integration

    Returns:
        The page, or its live part for htmx.

    Raises:
        Http404: there is no such integration
    """
    integration = get_object_or_404(Integration, pk=pk)
    now = timezone.now()
    counts = integration_status.count_by_status(integration.mailboxes.all(), now)
    mailboxes, search, chosen = _filtered(integration, request)
    page = Paginator(mailboxes, PER_PAGE).get_page(request.GET.get("page"))
    rows = mailbox_counters.mailbox_rows(list(page.object_list), now)
    head = _head(integration, "mailboxes", counts, now)
    syncing = any(row.progress or row.summary.doing for row in rows)
    context = {
        **head,
        "every": REFRESH_WHILE_SYNCING if syncing else head["every"],
        "page": page,
        "rows": rows,
        "search": search,
        "chosen": chosen,
        "only": _only(request),
        "states": status.choices(counts),
        "searchable": sum(counts.values()) > SEARCH_ABOVE,
    }
    return live_page(request, "integrations/detail.html", "integrations/_detail.html", context)


@require_safe
def tab(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Show another tab of an integration: connection, errors, audit log, or JSON.

    Only the state refreshes itself on these tabs, so that the text does not change while a person reads it.

    Args:
        request: the request
        pk: primary key of the integration
        name: key of the tab in `TAB_CONTENT`

    Returns:
        The tab, or its live part for htmx.

    Raises:
        Http404: there is no such integration or tab
    """
    integration = get_object_or_404(Integration, pk=pk)
    if name not in TAB_CONTENT:
        raise Http404
    now = timezone.now()
    counts = integration_status.count_by_status(integration.mailboxes.all(), now)
    context = _head(integration, name, counts, now) | {"live_id": "state"}
    if not by_htmx(request):
        context |= TAB_CONTENT[name](request, integration, now)
    return live_page(request, f"integrations/tab_{name}.html", "integrations/_state.html", context)


def _head(integration: Integration, tab: str, counts: integration_status.StatusCounts, now: datetime) -> dict[str, Any]:
    """Return the context that every tab shows above its content."""
    summary = integration_status.integration_standing(integration, counts, now)
    return {
        "integration": integration,
        "summary": summary,
        "every": REFRESH_WHILE_SYNCING if summary.working else "",
        "tab": tab,
        "tabs": TABS,
        "total": sum(counts.values()),
        "first_address": integration.mailboxes.values_list("address", flat=True).first() or "",
        "secret_problem": problem_with_secrets(integration),
        "ews_end": _ews_end(integration, now),
    }


def _ews_end(integration: Integration, now: datetime) -> End | None:
    concerned = is_concerned(integration.microsoft_api, integration.endpoint)
    return end_of_ews(now, integration.client_id) if concerned else None


def _certificate_note(integration: Integration, now: datetime) -> ValidityNote | None:
    by_certificate = integration.auth == Integration.Auth.CERTIFICATE
    return note(integration.client_certificate, now) if by_certificate else None


def _errors(request: HttpRequest, integration: Integration, now: datetime) -> dict[str, Any]:
    failed = error_summary.failed_runs(integration, now)
    page = Paginator(failed.select_related("mailbox__integration"), PER_PAGE).get_page(request.GET.get("page"))
    return {"kinds": error_summary.by_kind(failed), "page": page}


def _audit_log(request: HttpRequest, integration: Integration, now: datetime) -> dict[str, Any]:
    entries = AuditEntry.objects.filter(integration_id=integration.pk)
    return {"page": Paginator(entries, PER_PAGE).get_page(request.GET.get("page"))}


def _json(request: HttpRequest, integration: Integration, now: datetime) -> dict[str, Any]:
    return {"document": json.dumps(exported(integration), indent=2, ensure_ascii=False)}


TABS = (
    ("mailboxes", "Mailboxes"),
    ("connection", "Connection"),
    ("errors", "Errors"),
    ("history", "Audit log"),
    ("json", "JSON"),
)
TAB_CONTENT: dict[str, Callable[[HttpRequest, Integration, datetime], dict[str, Any]]] = {
    "connection": lambda request, integration, now: {"certificate_note": _certificate_note(integration, now)},
    "errors": _errors,
    "history": _audit_log,
    "json": _json,
}


@require_http_methods(["GET", "HEAD", "POST"])
def select(request: HttpRequest, pk: int) -> HttpResponse:
    """Start, stop, sync or fully resync many mailboxes at once: the ticked mailboxes, or all that match the filter.

    The page does not refresh itself, because a refresh would remove the ticks.

    Args:
        request: the request
        pk: primary key of the integration

    Returns:
        The page, or a redirect after a button.

    Raises:
        Http404: there is no such integration
    """
    integration = get_object_or_404(Integration, pk=pk)
    mailboxes, search, chosen = _filtered(integration, request)
    if request.method == "POST":
        action = mailbox_actions.MANY.get(request.POST.get("act", ""))
        ticked = [parse_number(text) for text in request.POST.getlist("mailbox")]
        everything = request.POST.get("all") == "shown"
        picked = list(mailboxes if everything else mailboxes.filter(pk__in=ticked))
        if action is None or not picked:
            return redirect_back(request, "Tick the mailboxes first, then press a button.", _url(pk), good=False)
        return redirect_back(request, action(Actor.of_request(request), picked, Subject.of(integration)), _url(pk))
    shown = list(mailboxes[:MAX_LISTED])
    context = {
        "integration": integration,
        "mailboxes": [(mailbox, status.status_of(mailbox)) for mailbox in shown],
        "total": len(shown) if len(shown) < MAX_LISTED else mailboxes.count(),
        "search": search,
        "chosen": chosen,
        "only": _only(request),
        "states": status.choices(integration_status.count_by_status(integration.mailboxes.all(), timezone.now())),
    }
    return render(request, "integrations/select.html", context)


@accepts_body(FORM_BYTES)
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Show the form of a new integration, or store it.

    Args:
        request: the request

    Returns:
        The form, or a redirect to the form for a mailbox of the new integration.
    """
    form = IntegrationForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and integration_actions.add(Actor.of_request(request), form):
        messages.success(request, f"{form.instance} is saved. Now add its mailboxes.")
        return redirect(f"{reverse('mailbox-new', args=[form.instance.pk])}?setup=1")
    return render(request, "integrations/form.html", {"form": form, "title": "New integration"})


@accepts_body(FORM_BYTES)
@require_POST
def try_(request: HttpRequest) -> HttpResponse:
    """Test the values in the form before they are stored.

    If the form has no secret, the test uses the stored secret of the integration. If the secret would be sent to a server
    that it was not entered for, the secret must be entered; otherwise nothing is tested.

    Args:
        request: the request

    Returns:
        The result of the test.
    """
    pk = parse_number(request.POST.get("integration"))
    stored = Integration.objects.filter(pk=pk).first() if pk else None
    form = IntegrationForm(request.POST, request.FILES or None, instance=stored)
    unsaved = form.to_be_tested()
    if unsaved is None:
        return finding_response(request, _wrong(form), reverse("integration-new"))
    address = request.POST.get("test_address", "").strip()
    if not address and stored is None:
        return finding_response(
            request,
            Finding(False, "Enter the address of a mailbox next to the button."),
            reverse("integration-new"),
        )
    finding = connection_tests.test_integration(Actor.of_request(request), unsaved, address or None)
    return finding_response(request, finding, reverse("integration-new"))


@require_safe
def ready(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the last step of adding an integration: what will be synced, what it costs, and *Start*.

    Args:
        request: the request
        pk: primary key of the integration

    Returns:
        The page.

    Raises:
        Http404: there is no such integration
    """
    integration = get_object_or_404(Integration, pk=pk)
    mailboxes = integration.mailboxes.all()
    counts = dict(mailboxes.order_by().values_list("bucket_id").annotate(Count("pk")))
    buckets = Bucket.objects.filter(pk__in=counts).select_related("destination")
    context = {
        "integration": integration,
        "total": sum(counts.values()),
        "buckets": [{"bucket": bucket, "count": counts[bucket.pk], "key": str(bucket.pk)} for bucket in buckets],
        "without_start": mailboxes.filter(start_at=None).count(),
        "with_start": mailboxes.exclude(start_at=None).count(),
        "first_address": mailboxes.values_list("address", flat=True).first() or "",
    }
    return render(request, "integrations/ready.html", context)


@require_POST
def cost(request: HttpRequest, pk: int) -> HttpResponse:
    """Estimate how many emails the first syncs of the mailboxes will deliver.

    The estimate queries Exchange and usually takes up to 20 seconds; the page shows that it is running.

    Args:
        request: the request
        pk: primary key of the integration

    Returns:
        The result of the estimate.

    Raises:
        Http404: there is no such integration
    """
    return finding_response(request, dry_runs.cost_of_integration(get_object_or_404(Integration, pk=pk)), _url(pk))


def _wrong(form: IntegrationForm) -> Finding:
    problems = [
        f"{form.fields[name].label}: {texts[0]}" for name, texts in form.errors.items() if name not in NOT_FOR_TESTING
    ]
    return Finding(False, " ".join(problems))


@accepts_body(FORM_BYTES)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the form of an integration, or store its changes.

    Args:
        request: the request
        pk: primary key of the integration

    Returns:
        The form, or a redirect after the changes were stored.

    Raises:
        Http404: there is no such integration
    """
    integration = get_object_or_404(Integration, pk=pk)
    title = str(integration)
    form = IntegrationForm(request.POST or None, request.FILES or None, instance=integration)
    if request.method == "POST" and integration_actions.change(Actor.of_request(request), form):
        messages.success(request, f"{integration} is saved. The changes take effect at the next sync.")
        return redirect("integration", pk)
    problem = "" if request.method == "POST" else problem_with_secrets(integration)
    context = {"form": form, "title": title, "integration_id": pk, "secret_problem": problem}
    context |= {"certificate_note": _certificate_note(integration, timezone.now())}
    return render(request, "integrations/form.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for a confirmation, then delete the integration.

    The integration is stopped first, so a running sync ends between two batches.

    Args:
        request: the request
        pk: primary key of the integration

    Returns:
        The confirmation page, or a redirect.

    Raises:
        Http404: there is no such integration
    """
    integration = get_object_or_404(Integration, pk=pk)
    if request.method == "POST":
        if not integration_actions.delete(Actor.of_request(request), integration):
            return redirect_back(
                request, "A sync has not ended yet. Press Delete again in a moment.", _url(pk), good=False
            )
        messages.success(request, f"{integration} is deleted.")
        return redirect("integrations")
    context = {"integration": integration, "mailboxes": Mailbox.objects.filter(integration=integration).count()}
    return render(request, "integrations/delete.html", context)


start = button(_row, integration_actions.start, _page)
stop = button(_row, integration_actions.stop, _page)


@require_POST
def test(request: HttpRequest, pk: int) -> HttpResponse:
    """Test the connection to Exchange now.

    Each request of the test can take 20 seconds; the page shows that the test is running.

    Args:
        request: the request
        pk: primary key of the integration

    Returns:
        The result of the test.

    Raises:
        Http404: there is no such integration
    """
    integration = get_object_or_404(Integration, pk=pk)
    address = request.POST.get("address", "").strip() or None
    return finding_response(
        request, connection_tests.test_integration(Actor.of_request(request), integration, address), _url(pk)
    )


def _filtered(
    integration: Integration, request: HttpRequest
) -> tuple[QuerySet[status.JudgedMailbox], str, status.Status | None]:
    """Return the mailboxes that match the request, the searched part of an address, and the chosen state.

    Links of the overview (the start page) also filter by the error of the mailboxes, or by bucket.
    """
    search, chosen = request.GET.get("q", "").strip(), status.parse_status(request.GET.get("state"))
    mailboxes = status.with_status(integration.mailboxes.all(), timezone.now()).select_related(
        "integration", "bucket__destination", "state"
    )
    if search:
        mailboxes = mailboxes.filter(address__icontains=search.replace("\0", ""))
    if chosen:
        mailboxes = mailboxes.filter(status=chosen)
    if kind := _error(request):
        mailboxes = mailboxes.filter(causes.stopped_by(kind))
    if bucket := _bucket(request):
        mailboxes = mailboxes.filter(bucket=bucket)
    return mailboxes, search, chosen


def _error(request: HttpRequest) -> str:
    return request.GET.get("error", "").replace("\0", "")


def _bucket(request: HttpRequest) -> int:
    return parse_number(request.GET.get("bucket"))


def _only(request: HttpRequest) -> str:
    """Describe the filters that a link of the overview (the start page) added; empty if there are none."""
    descriptions = []
    if kind := _error(request):
        entry = entry_of(kind)
        descriptions.append(f"mailboxes with the error “{entry.text.rstrip('.') if entry else closed(kind)}”")
    if pk := _bucket(request):
        descriptions.append(f"mailboxes of bucket {Bucket.objects.filter(pk=pk).first() or pk}")
    return ", and of these only ".join(descriptions)
