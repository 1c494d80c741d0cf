"""What mail comes from and goes to: held, stopped, at its limit, or about to end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db.models import F, OuterRef, Subquery

from integrations.certificates import WARN_BEFORE, note
from integrations.errors import BudgetReached, EwsBlockedOnline
from integrations.ews_end import end_of_ews, is_concerned
from integrations.models import Destination, DisabledReason, Integration
from mailboxes.models import Bucket
from sync.jobs import budget
from sync.models import LedgerEntry
from sync.reporting.attention.problem import MOST, Problem, Problems, first
from sync.reporting.status import Tone, hold_sentence
from sync.reporting.trends import with_units


def integrations(rows: Iterable[Integration], now: datetime) -> Problems:
    """What holds them or stopped them, and what will end one day soon: EWS in Exchange Online, and certificates."""
    rows = list(rows)
    held = [one for one in rows if one.enabled and one.is_held]
    stopped = [one for one in rows if not one.enabled and one.disabled_reason != DisabledReason.USER]
    ends = [problem for one in rows if one.enabled for problem in _ends(one, now)]
    told = [*(_held(one, now) for one in held[:MOST]), *(_stopped(one) for one in stopped[:MOST]), *ends]
    return Problems(told, sum(max(0, len(some) - MOST) for some in (held, stopped)))


def _held(one: Integration | Destination | Bucket, now: datetime) -> Problem:
    about = one._meta.model_name or ""
    return Problem(about, one, "Held", hold_sentence(one, now), Tone.BAD, one.held_since, kind=one.held_kind)


def _stopped(one: Integration) -> Problem:
    title, text, since = one.get_disabled_reason_display(), one.disabled_sentence, one.disabled_at or one.updated_at
    return Problem("integration", one, title, text, Tone.BAD, since, kind=one.disabled_kind)


def _ends(integration: Integration, now: datetime) -> Iterator[Problem]:
    if is_concerned(integration.microsoft_api, integration.endpoint):
        end = end_of_ews(now, integration.client_id)
        tone = Tone.BAD if end.urgent else Tone.WARN
        text = f"{end.text} {end.remedy}"
        yield Problem("ews_end", integration, end.title, text, tone, end.since, kind=EwsBlockedOnline.kind)
    if integration.auth == Integration.Auth.CERTIFICATE:
        told = note(integration.client_certificate, now)
        if told is not None and told.tone != "ok":
            since = min(now, max(told.ends - WARN_BEFORE, integration.updated_at))
            yield Problem("certificate", integration, "Certificate ends", told.text, Tone(told.tone), since)


def destinations(now: datetime) -> Problems:
    rows = list(Destination.objects.filter(held_until__isnull=False).order_by("-held_since"))
    return first([_held(row, now) for row in rows[:MOST]], len(rows))


def buckets(now: datetime) -> Problems:
    held = Bucket.objects.filter(held_until__isnull=False).select_related("destination")
    rows = list(held.order_by("-held_since"))
    return first([_held(row, now) for row in rows[:MOST]], len(rows))


def budgets(now: datetime) -> Problems:
    """Buckets whose monthly limit is reached, or nearly; since the last comment that counted."""
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
