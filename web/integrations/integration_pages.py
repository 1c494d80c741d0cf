"""The pages of integrations: the list, one of them with its mailboxes, its form, its buttons."""

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

from access import history
from access.body_limits import accepts_body
from access.models import AuditEntry
from integrations.bidi import closed
from integrations.catalogue import entry_of
from integrations.certificates import Note, note
from integrations.ews_end import End, end_of_ews, is_concerned
from integrations.forms import IntegrationForm
from integrations.forms.integration import NOT_FOR_TESTING
from integrations.models import Integration
from integrations.sealing import problem_with_secrets
from mailboxes.models import Bucket, Mailbox
from operations import actions, dry_runs
from operations.documents.stored import exported
from sync.jobs import causes
from sync.reporting import error_summary, integration_status, mailbox_counters, status
from web.integrations.answers import back, by_htmx, found, live_page
from web.integrations.asked import number

PER_PAGE = 50
EVERY_WHILE_MOVING = "2s"
"""Somebody who watches a first sync wants to see it move."""
FORM_BYTES = 1024 * 1024
"""Of the form: its largest parts are a CA bundle and a file with key and certificates."""
TO_TICK = 500
"""Mailboxes that are listed one by one; all that fit can be chosen together however many they are."""
SOME = 3
"""A search is offered from more mailboxes than these on."""


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """All integrations, each with its state in words."""
    now = timezone.now()
    counts = integration_status.count_by_integration(now)
    rows = [
        {
            "integration": integration,
            "standing": integration_status.integration_standing(
                integration, counts.get(integration.pk, integration_status.StatusCounts()), now
            ),
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
    counts = integration_status.count_by_status(integration.mailboxes.all(), now)
    mailboxes, search, chosen = _filtered(integration, request)
    page = Paginator(mailboxes, PER_PAGE).get_page(request.GET.get("page"))
    rows = mailbox_counters.mailbox_rows(list(page.object_list), now)
    head = _head(integration, "mailboxes", counts, now)
    moves = any(row.progress or row.standing.doing for row in rows)
    context = {
        **head,
        "every": EVERY_WHILE_MOVING if moves else head["every"],
        "page": page,
        "rows": rows,
        "search": search,
        "chosen": chosen,
        "only": _only(request),
        "states": status.choices(counts),
        "searchable": sum(counts.values()) > SOME,
    }
    return live_page(request, "integrations/detail.html", "integrations/_detail.html", context)


@require_safe
def tab(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """The other parts of the page of an integration: its connection, errors, history, and itself as a document. What shows
    itself anew on them is the state, so that whoever reads on is not disturbed."""
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
    """What every part of the page shows at its top."""
    standing = integration_status.integration_standing(integration, counts, now)
    return {
        "integration": integration,
        "standing": standing,
        "every": EVERY_WHILE_MOVING if standing.working else "",
        "tab": tab,
        "tabs": TABS,
        "total": sum(counts.values()),
        "first_address": integration.mailboxes.values_list("address", flat=True).first() or "",
        "secret_problem": _secret_problem(integration),
        "ews_end": _ews_end(integration, now),
    }


def _ews_end(integration: Integration, now: datetime) -> End | None:
    concerned = is_concerned(integration.microsoft_api, integration.endpoint)
    return end_of_ews(now, integration.client_id) if concerned else None


def _secret_problem(integration: Integration) -> str:
    return problem_with_secrets(integration)


def _certificate_note(integration: Integration, now: datetime) -> Note | None:
    by_certificate = integration.auth == Integration.Auth.CERTIFICATE
    return note(integration.client_certificate, now) if by_certificate else None


def _errors(request: HttpRequest, integration: Integration, now: datetime) -> dict[str, Any]:
    failed = error_summary.failed_runs(integration, now)
    page = Paginator(failed.select_related("mailbox__integration"), PER_PAGE).get_page(request.GET.get("page"))
    return {"kinds": error_summary.by_kind(failed), "page": page}


def _history(request: HttpRequest, integration: Integration, now: datetime) -> dict[str, Any]:
    acts = AuditEntry.objects.filter(integration_id=integration.pk)
    return {"page": Paginator(acts, PER_PAGE).get_page(request.GET.get("page"))}


def _json(request: HttpRequest, integration: Integration, now: datetime) -> dict[str, Any]:
    return {"document": json.dumps(exported(integration), indent=2, ensure_ascii=False)}


TABS = (
    ("mailboxes", "Mailboxes"),
    ("connection", "Connection"),
    ("errors", "Errors"),
    ("history", "History"),
    ("json", "JSON"),
)
TAB_CONTENT: dict[str, Callable[[HttpRequest, Integration, datetime], dict[str, Any]]] = {
    "connection": lambda request, integration, now: {"certificate_note": _certificate_note(integration, now)},
    "errors": _errors,
    "history": _history,
    "json": _json,
}


@require_http_methods(["GET", "HEAD", "POST"])
def select(request: HttpRequest, pk: int) -> HttpResponse:
    """Many mailboxes at once: tick them, or all that the filter shows, and press a button. It does not refresh by itself,
    so that no tick is lost."""
    integration = get_object_or_404(Integration, pk=pk)
    mailboxes, search, chosen = _filtered(integration, request)
    if request.method == "POST":
        act = actions.MANY.get(request.POST.get("act", ""))
        ticked = [number(text) for text in request.POST.getlist("mailbox")]
        everything = request.POST.get("all") == "shown"
        picked = list(mailboxes if everything else mailboxes.filter(pk__in=ticked))
        if act is None or not picked:
            return back(request, "Tick the mailboxes first, then press a button.", _url(pk), good=False)
        return back(request, act(picked), _url(pk), of=picked)
    shown = list(mailboxes[:TO_TICK])
    context = {
        "integration": integration,
        "mailboxes": [(mailbox, status.status_of(mailbox)) for mailbox in shown],
        "total": len(shown) if len(shown) < TO_TICK else mailboxes.count(),
        "search": search,
        "chosen": chosen,
        "only": _only(request),
        "states": status.choices(integration_status.count_by_status(integration.mailboxes.all(), timezone.now())),
    }
    return render(request, "integrations/select.html", context)


@accepts_body(FORM_BYTES)
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    form = IntegrationForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.stored():
        history.record(request, f"{form.instance} was added.", changes=form.changes_in_words(), about=form.instance)
        messages.success(request, f"{form.instance} is saved. Now its mailboxes.")
        return redirect(f"{reverse('mailbox-new', args=[form.instance.pk])}?setup=1")
    return render(request, "integrations/form.html", {"form": form, "title": "New integration"})


@accepts_body(FORM_BYTES)
@require_POST
def try_(request: HttpRequest) -> HttpResponse:
    """Test what is in the form, before it is saved. A secret that is not typed is the one that is stored."""
    pk = number(request.POST.get("integration"))
    stored = Integration.objects.filter(pk=pk).first() if pk else None
    form = IntegrationForm(request.POST, request.FILES or None, instance=stored)
    unsaved = form.to_be_tested()
    if unsaved is None:
        return found(request, _wrong(form), reverse("integration-new"))
    address = request.POST.get("test_address", "").strip()
    if not address and stored is None:
        return found(
            request,
            actions.Finding(False, "Enter a mailbox to test with, beside the button."),
            reverse("integration-new"),
        )
    return found(
        request, actions.test_connection(unsaved, address or None, by=history.who(request)), reverse("integration-new")
    )


@require_safe
def ready(request: HttpRequest, pk: int) -> HttpResponse:
    """The last step of adding one: what will be synced, what it will cost, and Start."""
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
    """How many emails a first sync will bring. Asks Exchange: the page shows that it goes on."""
    return found(request, dry_runs.cost_of_integration(get_object_or_404(Integration, pk=pk)), _url(pk))


def _wrong(form: IntegrationForm) -> actions.Finding:
    told = [
        f"{form.fields[name].label}: {texts[0]}" for name, texts in form.errors.items() if name not in NOT_FOR_TESTING
    ]
    return actions.Finding(False, " ".join(told))


@accepts_body(FORM_BYTES)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    integration = get_object_or_404(Integration, pk=pk)
    title = str(integration)
    form = IntegrationForm(request.POST or None, request.FILES or None, instance=integration)
    if request.method == "POST" and form.stored():
        history.record(request, f"{form.instance} was changed.", changes=form.changes_in_words(), about=form.instance)
        integration.refresh_from_db()
        actions.settings_changed(integration)
        messages.success(request, f"{integration} is saved. It takes effect at the next sync.")
        return redirect("integration", pk)
    problem = "" if request.method == "POST" else _secret_problem(integration)
    context = {"form": form, "title": title, "integration_id": pk, "secret_problem": problem}
    context |= {"certificate_note": _certificate_note(integration, timezone.now())}
    return render(request, "integrations/form.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask first, and say what stays. A running sync ends between two batches, since it is stopped before."""
    integration = get_object_or_404(Integration, pk=pk)
    if request.method == "POST":
        if not actions.delete_integration(integration):
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
    return found(request, actions.test_connection(integration, address, by=history.who(request)), _url(pk))


def _filtered(
    integration: Integration, request: HttpRequest
) -> tuple[QuerySet[status.JudgedMailbox], str, status.Status | None]:
    """The mailboxes that a search for an address and a state leaves, and the two. Links of the overview ask for those that one
    kind of error stopped, or for those of one bucket, too."""
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
    return number(request.GET.get("bucket"))


def _only(request: HttpRequest) -> str:
    """What the list leaves out because a link of the overview asked for it, in words."""
    told = []
    if kind := _error(request):
        entry = entry_of(kind)
        told.append(f"those that were stopped by: {entry.text.rstrip('.') if entry else closed(kind)}")
    if pk := _bucket(request):
        told.append(f"those of bucket {Bucket.objects.filter(pk=pk).first() or pk}")
    return ", and of them ".join(told)


def _url(pk: int) -> str:
    return reverse("integration", args=[pk])
