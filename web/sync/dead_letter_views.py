"""The page of all set-aside emails, and their buttons."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from integrations.catalogue import set_aside_entry
from operations import actions
from sync.models import DeadLetter
from web.integrations.answers import back, live_page

PER_PAGE = 50


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """All that wait, newest first; of some mailboxes or of one kind when that is asked for."""
    waiting = DeadLetter.objects.waiting()
    counts = waiting.order_by().values_list("kind", "stage").annotate(count=Count("pk")).order_by("-count", "kind")
    search, kind = _asked(request)
    chosen = _chosen(search, kind).select_related("folder", "mailbox__integration")
    page = Paginator(chosen, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "search": search,
        "kind": kind,
        "kinds": [(kind, set_aside_entry(kind, stage).text, count) for kind, stage, count in counts if kind],
    }
    return live_page(request, "sync/set_aside.html", "sync/_set_aside.html", context)


@require_POST
def retry_shown(request: HttpRequest) -> HttpResponse:
    """Try all again that the page showed, on whatever pages of it they stand."""
    return back(request, actions.retry_many_set_aside(_chosen(*_asked(request))), reverse("set-aside"))


@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    email = _email(pk)
    return back(request, actions.retry_set_aside(email), reverse("mailbox", args=[email.mailbox_id]))


@require_POST
def retry_like(request: HttpRequest, pk: int) -> HttpResponse:
    """All emails of the same mailbox that were set aside for a reason of the same kind."""
    email = _email(pk)
    alike = DeadLetter.objects.waiting().filter(mailbox=email.mailbox_id, kind=email.kind, stage=email.stage)
    return back(request, actions.retry_many_set_aside(alike), reverse("mailbox", args=[email.mailbox_id]))


@require_POST
def dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    email = _email(pk)
    return back(request, actions.dismiss_set_aside(email), reverse("mailbox", args=[email.mailbox_id]))


def _asked(request: HttpRequest) -> tuple[str, str]:
    """Part of an address, and a kind."""
    return tuple(request.GET.get(name, "").replace("\0", "").strip() for name in ("q", "kind"))  # type: ignore[return-value]


def _chosen(search: str, kind: str) -> QuerySet[DeadLetter]:
    chosen = DeadLetter.objects.waiting()
    if search:
        chosen = chosen.filter(mailbox__address__icontains=search)
    if kind:
        chosen = chosen.filter(kind=kind)
    return chosen


def _email(pk: int) -> DeadLetter:
    return get_object_or_404(DeadLetter.objects.select_related("folder", "mailbox__integration"), pk=pk)
