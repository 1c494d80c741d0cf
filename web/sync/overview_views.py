"""The overview, the list of sync runs, the error catalogue, and the health check."""

from __future__ import annotations

from datetime import UTC, datetime

import structlog
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from integrations import catalogue
from integrations.models import Destination, Integration
from integrations.sealing import problem_with_keys
from mailboxes.models import Mailbox
from sync.models import MailboxState, SyncRun
from sync.reporting import alerts, integration_status, mailbox_counters, spans, trends
from sync.reporting.notable_runs import FAILED, worth_showing
from web.integrations.params import parse_number
from web.integrations.responses import live_page
from web.probes import probe

log = structlog.get_logger(__name__)

MAX_PROBLEMS = 10
"""Maximum number of problems that the overview lists. If there are more, it shows the number of the others."""
RUNS = 50


@probe
@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Respond with status 200 if the database answers, and with 503 if it does not.

    Load balancers and containers request this page. The response contains no other information.

    Args:
        request: the request

    Returns:
        A short text.
    """
    try:
        MailboxState.objects.exists()
    except DatabaseError as error:
        # Log only the class: the text of a database driver can contain host names and user names.
        log.warning("The database does not answer the health check", error=type(error).__name__)
        return HttpResponse("no database", status=503, content_type="text/plain")
    return HttpResponse("ok", content_type="text/plain")


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show the state of the integrations, the problems with their remedies, and the trends.

    Args:
        request: the request

    Returns:
        The page, or its live part for htmx.
    """
    now = timezone.now()
    counts = integration_status.count_by_integration(now)
    integrations = list(Integration.objects.all())
    problems = alerts.problems(now, integrations)
    units = trends.units_by_bucket(now)
    context = {
        "summaries": [
            (
                integration,
                integration_status.integration_standing(
                    integration, counts.get(integration.pk, integration_status.StatusCounts()), now
                ),
            )
            for integration in integrations
        ],
        "states": integration_status.together(counts.values()),
        "totals": mailbox_counters.totals(now),
        "problems": problems[:MAX_PROBLEMS],
        "more": max(0, len(problems) - MAX_PROBLEMS) + problems.more,
        "key_problem": problem_with_keys(),
        "has_destination": bool(counts) or Destination.objects.exists(),
        "has_mailbox": bool(counts),
        "trends": trends.trends(spans.parse_span(request.GET.get("span")), now),
        "units": units,
        "units_month": sum(line.units for line in units),
        "is_running": any(integration.enabled for integration in integrations),
    }
    return live_page(request, "sync/overview.html", "sync/_overview.html", context)


@require_safe
def runs(request: HttpRequest) -> HttpResponse:
    """List up to `RUNS` sync runs, newest first.

    By default, the list has the runs that `worth_showing` selects. `?show=all` lists all runs, and `?show=failed` only
    failed and lost runs. `?mailbox=4` selects the runs of one mailbox, and `?before=` the runs that started before a time.

    Args:
        request: the request

    Returns:
        The page, or its live part for htmx.
    """
    show = request.GET.get("show", "work")
    chosen = _shown(SyncRun.objects.select_related("mailbox__integration"), show)
    mailbox = Mailbox.objects.filter(pk=parse_number(request.GET.get("mailbox"))).first()
    if mailbox:
        chosen = chosen.filter(mailbox=mailbox)
    if before := _moment(request.GET.get("before")):
        chosen = chosen.filter(started_at__lt=before)
    page = list(chosen[: RUNS + 1])
    context = {
        "runs": page[:RUNS],
        "older": page[RUNS - 1].started_at.isoformat() if len(page) > RUNS else "",
        "show": show,
        "mailbox": mailbox,
        "paged": before is not None,
    }
    return live_page(request, "sync/runs.html", "sync/_runs.html", context)


@require_safe
def errors(request: HttpRequest) -> HttpResponse:
    """Show the error catalogue.

    Args:
        request: the request

    Returns:
        The page.
    """
    groups = [
        ("Errors of a connection, a mailbox or a bucket", catalogue.entries()),
        ("Failed emails", catalogue.DEAD_LETTER_ENTRIES),
    ]
    return render(request, "sync/errors.html", {"groups": groups})


def _shown(all_runs: QuerySet[SyncRun], show: str) -> QuerySet[SyncRun]:
    if show == "all":
        return all_runs
    return all_runs.filter(FAILED) if show == "failed" else worth_showing(all_runs)


def _moment(text: str | None) -> datetime | None:
    try:
        parsed = datetime.fromisoformat(text or "")
        # Convert to UTC: PostgreSQL accepts no offset of sixteen hours or more.
        return parsed.astimezone(UTC) if timezone.is_aware(parsed) else None
    except (ValueError, OverflowError):
        return None
