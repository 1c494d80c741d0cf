"""The pages of emails that only the rules of a newer release want: which wait, and whether they are brought or left."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from access import history
from integrations.models import Integration
from mailboxes.models import Mailbox
from operations import actions
from sync.reporting import newly_wanted
from sync.reporting.newly_wanted import AnswerState
from web.integrations.answers import back
from web.integrations.asked import number

SHOWN = 200
"""Mailboxes on the page; the sum is of all."""


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Of which mailboxes: one, those of an integration, or all."""

    about: Mailbox | Integration | None
    mailboxes: QuerySet[Mailbox]
    query: str
    also_left: bool


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """How many emails wait, come or were left, by mailbox."""
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
    """Ask first, and say what it costs."""
    return _answer(request, _chosen(request), bring=True)


@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest) -> HttpResponse:
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
    by = history.who(request)
    sentence = (
        actions.bring_newly_wanted(mailboxes, by=by, also_left=chosen.also_left)
        if bring
        else actions.leave_newly_wanted(mailboxes, by=by)
    )
    page = f"{reverse('newly-wanted')}{chosen.query}"
    if isinstance(sentence, actions.ActionRefused):
        return back(request, sentence, page)
    history.record(request, sentence, about=chosen.about, changes=history.named(mailboxes))
    messages.success(request, sentence)
    return redirect("mailbox", chosen.about.pk) if isinstance(chosen.about, Mailbox) else redirect(page)


def _chosen(request: HttpRequest) -> _Chosen:
    """Raises Http404 for what is not there."""
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
