"""Alerts about integrations, destinations and buckets: paused, stopped, at a limit, or about to expire."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db.models import F, OuterRef, Subquery

from integrations.certificates import WARN_BEFORE, note
from integrations.errors import BudgetReached, EwsBlockedOnline
from integrations.ews_retirement import end_of_ews, is_concerned
from integrations.models import Destination, DisabledReason, Integration
from mailboxes.models import Bucket
from sync.jobs import budget
from sync.models import LedgerEntry
from sync.reporting.alerts.problem import MOST, Problem, Problems, first
from sync.reporting.status import Tone, paused_sentence
from sync.reporting.trends import with_units


def integrations(rows: Iterable[Integration], now: datetime) -> Problems:
    """Return the alerts about integrations.

    An integration is reported for each of these reasons:

    - Its circuit breaker is open.
    - An error or a quota stopped it.
    - It is running, and uses EWS in Exchange Online, which Microsoft ends in 2027.
    - It is running, and its client certificate expires soon, or has expired.

    Args:
        rows: The integrations to check.
        now: Current time, aware.

    Returns:
        The alerts: at most `MOST` for each of the first two reasons, and all for the other two reasons.
    """
    rows = list(rows)
    paused = [row for row in rows if row.enabled and row.is_held]
    stopped = [row for row in rows if not row.enabled and row.disabled_reason != DisabledReason.USER]
    expiring = [problem for row in rows if row.enabled for problem in _expiring(row, now)]
    found = [*(_paused(row, now) for row in paused[:MOST]), *(_stopped(row) for row in stopped[:MOST]), *expiring]
    return Problems(found, sum(max(0, len(each) - MOST) for each in (paused, stopped)))


def _paused(row: Integration | Destination | Bucket, now: datetime) -> Problem:
    about = row._meta.model_name or ""
    return Problem(about, row, "Paused", paused_sentence(row, now), Tone.BAD, row.held_since, kind=row.held_kind)


def _stopped(row: Integration) -> Problem:
    title, text, since = row.get_disabled_reason_display(), row.disabled_sentence, row.disabled_at or row.updated_at
    return Problem("integration", row, title, text, Tone.BAD, since, kind=row.disabled_kind)


def _expiring(integration: Integration, now: datetime) -> Iterator[Problem]:
    if is_concerned(integration.microsoft_api, integration.endpoint):
        end = end_of_ews(now, integration.client_id)
        tone = Tone.BAD if end.urgent else Tone.WARN
        text = f"{end.text} {end.remedy}"
        yield Problem("ews_end", integration, end.title, text, tone, end.since, kind=EwsBlockedOnline.kind)
    if integration.auth == Integration.Auth.CERTIFICATE:
        expiry = note(integration.client_certificate, now)
        if expiry is not None and expiry.tone != "ok":
            since = min(now, max(expiry.ends - WARN_BEFORE, integration.updated_at))
            yield Problem("certificate", integration, "Certificate ends", expiry.text, Tone(expiry.tone), since)


def destinations(now: datetime) -> Problems:
    """Return alerts about the destinations whose circuit breaker is open.

    Args:
        now: Current time, aware.

    Returns:
        At most `MOST` alerts, newest first.
    """
    rows = list(Destination.objects.filter(held_until__isnull=False).order_by("-held_since"))
    return first([_paused(row, now) for row in rows[:MOST]], len(rows))


def buckets(now: datetime) -> Problems:
    """Return alerts about the buckets whose circuit breaker is open.

    Args:
        now: Current time, aware.

    Returns:
        At most `MOST` alerts, newest first.
    """
    paused = Bucket.objects.filter(held_until__isnull=False).select_related("destination")
    rows = list(paused.order_by("-held_since"))
    return first([_paused(row, now) for row in rows[:MOST]], len(rows))


def budgets(now: datetime) -> Problems:
    """Return alerts about the buckets that used at least the share `budget.WARN_AT` of their monthly limit of AI units.

    An alert dates from the last billed comment of the bucket.

    Args:
        now: Current time, aware.

    Returns:
        At most `MOST` alerts, newest first.
    """
    limited = with_units(Bucket.objects.exclude(monthly_limit=None).select_related("destination"), now)
    billed = LedgerEntry.objects.filter(bucket=OuterRef("pk"), billed=True).order_by("-created_at").values("created_at")
    near = limited.filter(units__gte=F("monthly_limit") * budget.WARN_AT).annotate(latest=Subquery(billed[:1]))
    rows = list(near.order_by("-latest"))
    return first([_budget(row, row.units, row.latest) for row in rows[:MOST]], len(rows))


def _budget(bucket: Bucket, used: int, since: datetime | None) -> Problem:
    limit = bucket.monthly_limit or 0
    reached = used >= limit
    title, tone = ("Limit reached", Tone.BAD) if reached else ("Nearly at its limit", Tone.WARN)
    text = f"{used:,} of {limit:,} AI units are used this month."
    if reached:
        text += f" {BudgetReached.remedy}"
    return Problem("budget", bucket, title, text, tone, since, kind=BudgetReached.kind)
