"""Responses of views.

A page is rendered completely, or for htmx only its live part. After a button was pressed, the response is a redirect to
the page of the button, with a message. htmx gets the result of a test or an estimate as a fragment. Without htmx, the
result is a message on the page of the button.

htmx requests the live part of a page every few seconds, and replaces the old live part with the response. A button inside
the live part is a form that also works without JavaScript. With htmx, the response to the form is, after the redirect,
the live part and the message; the rest of the page does not change.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from operations.actor import Actor
from operations.results import ActionRefused, Finding

Row = TypeVar("Row")


def by_htmx(request: HttpRequest) -> bool:
    """Return whether htmx sent this request.

    Args:
        request: the request

    Returns:
        True for a request of htmx.
    """
    return bool(getattr(request, "htmx", False))


def live_page(request: HttpRequest, page: str, live: str, context: dict[str, Any]) -> HttpResponse:
    """Render a page, or only its live part for htmx.

    The response must not be cached, so that the back button of a browser does not show an old state.

    Args:
        request: the request
        page: template of the whole page
        live: template of the live part
        context: context of both templates; `partial` is added

    Returns:
        The rendered page or part.
    """
    partial = by_htmx(request)
    response = render(request, live if partial else page, {**context, "partial": partial})
    response["Vary"] = "HX-Request"
    response["Cache-Control"] = "no-store"
    return response


def redirect_back(
    request: HttpRequest, sentence: str | ActionRefused, otherwise: str, *, good: bool = True
) -> HttpResponse:
    """Redirect to the page of the button, and show a sentence there as a message.

    Args:
        request: the request
        sentence: result of the operation
        otherwise: URL to redirect to if the form field `next` is missing or contains a URL of another site
        good: whether the operation succeeded; an `ActionRefused` is always shown as an error

    Returns:
        The redirect.
    """
    if isinstance(sentence, ActionRefused):
        good, sentence = False, sentence.text
    return _redirected(request, sentence, otherwise, good=good)


def _redirected(request: HttpRequest, sentence: str, otherwise: str, *, good: bool) -> HttpResponse:
    messages.add_message(request, messages.SUCCESS if good else messages.ERROR, sentence)
    next_url = request.POST.get("next", "")
    is_safe = url_has_allowed_host_and_scheme(
        next_url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return redirect(next_url if is_safe else otherwise)


def finding_response(request: HttpRequest, finding: Finding, otherwise: str) -> HttpResponse:
    """Return the result of a test, an estimate or a similar operation: a fragment for htmx, else a message after a redirect.

    Args:
        request: the request
        finding: the result
        otherwise: URL to redirect to if the form field `next` is missing or contains a URL of another site

    Returns:
        The fragment or the redirect.
    """
    if by_htmx(request):
        return render(request, "components/finding.html", {"finding": finding})
    return _redirected(request, finding.text, otherwise, good=finding.ok)


def button(
    find: Callable[[int], Row],
    action: Callable[[Actor, Row], str | ActionRefused],
    page_of: Callable[[Row], str],
) -> Callable[[HttpRequest, int], HttpResponse]:
    """Return the view of a button that runs one action on one row, and shows the sentence that the action returns.

    Args:
        find: Returns the row of a primary key, or raises `Http404`.
        action: What the button does.
        page_of: Returns the URL of the page of a row. It is used if the form names no page in its field `next`.

    Returns:
        A view that accepts only POST, and redirects to the page of the button.
    """

    @require_POST
    def press(request: HttpRequest, pk: int) -> HttpResponse:
        row = find(pk)
        return redirect_back(request, action(Actor.of_request(request), row), page_of(row))

    return press
