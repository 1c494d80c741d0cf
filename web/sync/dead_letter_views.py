"""The page of failed emails (dead letters), and its buttons."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from access.history import Subject
from integrations.catalogue import dead_letter_entry
from operations import failed_email_actions
from operations.actor import Actor
from sync.models import DeadLetter
from web.integrations.responses import live_page, redirect_back

PER_PAGE = 50


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """List the failed emails that are not settled, newest first, filtered by mailbox address and kind of failure.

    Args:
        request: the request

    Returns:
        The page, or its live part for htmx.
    """
    waiting = DeadLetter.objects.waiting()
    counts = waiting.order_by().values_list("kind", "stage").annotate(count=Count("pk")).order_by("-count", "kind")
    search, kind = _filters(request)
    chosen = _chosen(search, kind).select_related("folder", "mailbox__integration")
    page = Paginator(chosen, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "search": search,
        "kind": kind,
        "kinds": [(kind, dead_letter_entry(kind, stage).text, count) for kind, stage, count in counts if kind],
    }
    return live_page(request, "sync/set_aside.html", "sync/_set_aside.html", context)


@require_POST
def retry_shown(request: HttpRequest) -> HttpResponse:
    """Retry all emails that match the filter, on every page of the list.

    Args:
        request: the request

    Returns:
        A redirect to the page of the button, with a message.
    """
    sentence = failed_email_actions.retry_many(Actor.of_request(request), _chosen(*_filters(request)))
    return redirect_back(request, sentence, reverse("set-aside"))


@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Retry one failed email.

    Args:
        request: the request
        pk: primary key of the email

    Returns:
        A redirect to the page of the button, with a message.

    Raises:
        Http404: there is no such email
    """
    email = _email(pk)
    sentence = failed_email_actions.retry(Actor.of_request(request), email)
    return redirect_back(request, sentence, reverse("mailbox", args=[email.mailbox_id]))


@require_POST
def retry_like(request: HttpRequest, pk: int) -> HttpResponse:
    """Retry all emails of the same mailbox that failed for the same reason.

    Args:
        request: the request
        pk: primary key of the email

    Returns:
        A redirect to the page of the button, with a message.

    Raises:
        Http404: there is no such email
    """
    email = _email(pk)
    alike = DeadLetter.objects.waiting().filter(mailbox=email.mailbox_id, kind=email.kind, stage=email.stage)
    sentence = failed_email_actions.retry_many(Actor.of_request(request), alike, about=Subject.of(email.mailbox))
    return redirect_back(request, sentence, reverse("mailbox", args=[email.mailbox_id]))


@require_POST
def dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop retrying one failed email, and remove it from the list.

    Args:
        request: the request
        pk: primary key of the email

    Returns:
        A redirect to the page of the button, with a message.

    Raises:
        Http404: there is no such email
    """
    email = _email(pk)
    sentence = failed_email_actions.dismiss(Actor.of_request(request), email)
    return redirect_back(request, sentence, reverse("mailbox", args=[email.mailbox_id]))


def _filters(request: HttpRequest) -> tuple[str, str]:
    """Return the searched part of an address, and the kind of the failure."""
    search, kind = (request.GET.get(name, "").replace("\0", "").strip() for name in ("q", "kind"))
    return search, kind


def _chosen(search: str, kind: str) -> QuerySet[DeadLetter]:
    chosen = DeadLetter.objects.waiting()
    if search:
        chosen = chosen.filter(mailbox__address__icontains=search)
    if kind:
        chosen = chosen.filter(kind=kind)
    return chosen


def _email(pk: int) -> DeadLetter:
    return get_object_or_404(DeadLetter.objects.select_related("folder", "mailbox__integration"), pk=pk)
