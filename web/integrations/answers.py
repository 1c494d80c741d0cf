"""How our pages answer: whole, or only their live part; and back to where a button was pressed, with a sentence.

A live page asks for itself every few seconds. Then only the template of its live part is rendered, and htmx puts it in
place of the old one. A button inside it is a form that works without any script; with htmx it follows the redirect and
so gets the live part and the message, while the rest of the page stays as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme

from access import history
from operations.actions import ActionRefused, Finding


def by_htmx(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False))


def live_page(request: HttpRequest, page: str, live: str, context: dict[str, Any]) -> HttpResponse:
    """The page, or its live part when htmx asks. Never cached: the back button must not show an old state."""
    partial = by_htmx(request)
    answer = render(request, live if partial else page, {**context, "partial": partial})
    answer["Vary"] = "HX-Request"
    answer["Cache-Control"] = "no-store"
    return answer


def back(
    request: HttpRequest, sentence: str | ActionRefused, otherwise: str, *, good: bool = True, of: Sequence[object] = ()
) -> HttpResponse:
    """Redirect to the page that the button was on, or else to `otherwise`, with this sentence as its message. `of`: what it was
    about, where it was many."""
    if isinstance(sentence, ActionRefused):
        good, sentence = False, sentence.text
    if good:
        history.record(request, sentence, changes=history.named(of))
    return _redirected(request, sentence, otherwise, good=good)


def _redirected(request: HttpRequest, sentence: str, otherwise: str, *, good: bool) -> HttpResponse:
    messages.add_message(request, messages.SUCCESS if good else messages.ERROR, sentence)
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return redirect(wanted if safe else otherwise)


def found(request: HttpRequest, finding: Finding, otherwise: str) -> HttpResponse:
    """The result of a test: in its place when htmx asked, else as a message. It notes nothing: a test does that itself."""
    if by_htmx(request):
        return render(request, "components/finding.html", {"finding": finding})
    return _redirected(request, finding.text, otherwise, good=finding.ok)
