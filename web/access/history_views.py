"""The page of the audit log."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from access.history import KINDS
from access.models import AuditEntry

PER_PAGE = 50


@require_safe
def history(request: HttpRequest) -> HttpResponse:
    """Show the audit log, newest entry first.

    A query such as `?integration=4` or `?mailbox=4` selects the entries about one object. The entries about an integration
    include the entries about its mailboxes.

    Args:
        request: the request

    Returns:
        The page.
    """
    entries = AuditEntry.objects.all()
    chosen = next(((kind, text) for kind in KINDS if (text := request.GET.get(kind, "")).isdecimal()), None)
    if chosen is not None:
        kind, text = chosen
        pk = int(text[:18])
        of_integration = kind == "integration"
        entries = entries.filter(integration_id=pk) if of_integration else entries.filter(about=kind, object_id=pk)
    page = Paginator(entries, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "access/history.html", {"page": page, "chosen": chosen})
