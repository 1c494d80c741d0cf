"""The page of what people did."""

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
    """Everything, or only what was done to one thing (`?mailbox=4`), with what belongs to it."""
    acts = AuditEntry.objects.all()
    chosen = next(((kind, text) for kind in KINDS if (text := request.GET.get(kind, "")).isdecimal()), None)
    if chosen is not None:
        kind, text = chosen
        pk = int(text[:18])
        acts = acts.filter(integration_id=pk) if kind == "integration" else acts.filter(about=kind, object_id=pk)
    page = Paginator(acts, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "access/history.html", {"page": page, "chosen": chosen})
