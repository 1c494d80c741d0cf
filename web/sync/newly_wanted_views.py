"""The page of newly wanted emails, and the pages that store the decision to bring these emails or to leave them.

Newly wanted emails are emails that only the rules of a newer release include.
"""

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
from sync.reporting.newly_wanted import AdminDecision
from web.integrations.params import parse_number
from web.integrations.responses import redirect_back

SHOWN = 200
"""Maximum number of mailboxes on the page. The sums include all mailboxes."""


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The mailboxes that a request names: one mailbox, those of an integration, or all."""

    about: Mailbox | Integration | None
    mailboxes: QuerySet[Mailbox]
    query: str
    also_left: bool


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show the numbers of newly wanted emails by mailbox: waiting for a decision, accepted but not yet sent, and left.

    Args:
        request: the request

    Returns:
        The page.

    Raises:
        Http404: there is no such mailbox or integration
    """
    chosen = _chosen(request)
    amounts = {state: newly_wanted.by_mailbox(state, chosen.mailboxes) for state in AdminDecision}
    shown = sorted(set().union(*amounts.values()))[:SHOWN]
    rows = Mailbox.objects.select_related("integration").in_bulk(shown)
    nothing = (0, 0)
    context = {
        "chosen": chosen,
        "waiting": newly_wanted.amount(AdminDecision.WAITING, chosen.mailboxes),
        "left": newly_wanted.amount(AdminDecision.DECLINED, chosen.mailboxes),
        "lines": [
            {
                "mailbox": rows[pk],
                "waiting": amounts[AdminDecision.WAITING].get(pk, nothing)[0],
                "units": amounts[AdminDecision.WAITING].get(pk, nothing)[1],
                "coming": amounts[AdminDecision.APPROVED].get(pk, nothing)[0],
                "left": amounts[AdminDecision.DECLINED].get(pk, nothing)[0],
            }
            for pk in shown
            if pk in rows
        ],
    }
    return render(request, "sync/newly_wanted.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def bring(request: HttpRequest) -> HttpResponse:
    """Show what it costs to bring the newly wanted emails; after a confirmation, store the decision to bring them.

    Args:
        request: the request

    Returns:
        The confirmation page, or a redirect.

    Raises:
        Http404: there is no such mailbox or integration
    """
    return _decide(request, _chosen(request), bring=True)


@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest) -> HttpResponse:
    """Ask for a confirmation that the newly wanted emails are left in Exchange, then store this decision.

    Args:
        request: the request

    Returns:
        The confirmation page, or a redirect.

    Raises:
        Http404: there is no such mailbox or integration
    """
    return _decide(request, _chosen(request), bring=False)


def _decide(request: HttpRequest, chosen: _Chosen, *, bring: bool) -> HttpResponse:
    if request.method == "POST":
        return _store_decision(request, chosen, bring=bring)
    context = {
        "chosen": chosen,
        "bring": bring,
        "waiting": newly_wanted.amount(AdminDecision.WAITING, chosen.mailboxes),
        "left": newly_wanted.amount(AdminDecision.DECLINED, chosen.mailboxes) if chosen.also_left else None,
    }
    return render(request, "sync/newly_answer.html", context)


def _store_decision(request: HttpRequest, chosen: _Chosen, *, bring: bool) -> HttpResponse:
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
        return redirect_back(request, sentence, page)
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
        about = get_object_or_404(
            Mailbox.objects.select_related("integration"), pk=parse_number(request.GET["mailbox"])
        )
        mailboxes, named = mailboxes.filter(pk=about.pk), {"mailbox": about.pk}
    elif "integration" in request.GET:
        about = get_object_or_404(Integration, pk=parse_number(request.GET["integration"]))
        mailboxes, named = mailboxes.filter(integration=about), {"integration": about.pk}
    return _Chosen(about, mailboxes, f"?{urlencode(named)}" if named else "", also_left)
