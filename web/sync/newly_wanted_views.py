"""The pages of emails that only the rules of a newer release want, and of the answer: bring or leave them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from access.history import NO_SUBJECT, Subject
from integrations.models import Integration
from mailboxes.models import Mailbox
from operations import newly_wanted_actions
from operations.actor import Actor
from operations.results import ActionRefused
from sync.reporting import newly_wanted
from sync.reporting.newly_wanted import AnswerState
from web.integrations.answers import back
from web.integrations.asked import number

SHOWN = 200
"""Mailboxes on the page. The sums include all mailboxes."""


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The mailboxes of a request: one, those of an integration, or all."""

    about: Mailbox | Integration | None
    mailboxes: QuerySet[Mailbox]
    query: str
    also_left: bool


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show per mailbox how many newly wanted emails wait, come, or were left.

    Args:
        request: the request

    Returns:
        The page.

    Raises:
        Http404: there is no such mailbox or integration
    """
    chosen = _chosen(request)
    amounts = {standing: newly_wanted.by_mailbox(standing, chosen.mailboxes) for standing in AnswerState}
    shown = sorted(set().union(*amounts.values()))[:SHOWN]
    rows = Mailbox.objects.select_related("integration").in_bulk(shown)
    nothing = (0, 0)
    context = {
        "chosen": chosen,
        "waiting": newly_wanted.amount(AnswerState.WAITING, chosen.mailboxes),
        "left": newly_wanted.amount(AnswerState.LEFT, chosen.mailboxes),
        "lines": [
            {
                "mailbox": rows[pk],
                "waiting": amounts[AnswerState.WAITING].get(pk, nothing)[0],
                "units": amounts[AnswerState.WAITING].get(pk, nothing)[1],
                "coming": amounts[AnswerState.COMING].get(pk, nothing)[0],
                "left": amounts[AnswerState.LEFT].get(pk, nothing)[0],
            }
            for pk in shown
            if pk in rows
        ],
    }
    return render(request, "sync/newly_wanted.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def bring(request: HttpRequest) -> HttpResponse:
    """Show what it costs to bring the newly wanted emails, then store this answer.

    Args:
        request: the request

    Returns:
        The question, or a redirect.

    Raises:
        Http404: there is no such mailbox or integration
    """
    return _answer(request, _chosen(request), bring=True)


@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest) -> HttpResponse:
    """Ask for a confirmation that the newly wanted emails are left, then store this answer.

    Args:
        request: the request

    Returns:
        The question, or a redirect.

    Raises:
        Http404: there is no such mailbox or integration
    """
    return _answer(request, _chosen(request), bring=False)


def _answer(request: HttpRequest, chosen: _Chosen, *, bring: bool) -> HttpResponse:
    if request.method == "POST":
        return _answered(request, chosen, bring=bring)
    context = {
        "chosen": chosen,
        "bring": bring,
        "waiting": newly_wanted.amount(AnswerState.WAITING, chosen.mailboxes),
        "left": newly_wanted.amount(AnswerState.LEFT, chosen.mailboxes) if chosen.also_left else None,
    }
    return render(request, "sync/newly_answer.html", context)


def _answered(request: HttpRequest, chosen: _Chosen, *, bring: bool) -> HttpResponse:
    mailboxes = list(newly_wanted.concerned(chosen.mailboxes))
    actor = Actor.of_request(request)
    about = Subject.of(chosen.about) if chosen.about else NO_SUBJECT
    sentence = (
        newly_wanted_actions.bring(actor, mailboxes, about=about, also_left=chosen.also_left)
        if bring
        else newly_wanted_actions.leave(actor, mailboxes, about=about)
    )
    page = f"{reverse('newly-wanted')}{chosen.query}"
    if isinstance(sentence, ActionRefused):
        return back(request, sentence, page)
    messages.success(request, sentence)
    return redirect("mailbox", chosen.about.pk) if isinstance(chosen.about, Mailbox) else redirect(page)


def _chosen(request: HttpRequest) -> _Chosen:
    """Return the mailboxes that the request names.

    Raises:
        Http404: there is no such mailbox or integration
    """
    also_left = "left" in request.GET
    about: Mailbox | Integration | None = None
    mailboxes, named = Mailbox.objects.all(), {}
    if "mailbox" in request.GET:
        about = get_object_or_404(Mailbox.objects.select_related("integration"), pk=number(request.GET["mailbox"]))
        mailboxes, named = mailboxes.filter(pk=about.pk), {"mailbox": about.pk}
    elif "integration" in request.GET:
        about = get_object_or_404(Integration, pk=number(request.GET["integration"]))
        mailboxes, named = mailboxes.filter(integration=about), {"integration": about.pk}
    return _Chosen(about, mailboxes, f"?{urlencode(named)}" if named else "", also_left)
