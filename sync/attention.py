"""What needs an admin's attention now, newest first: each with what to do about it, and on what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db.models import Count, F, Max, Min, OuterRef, Q, Subquery, Sum

from integrations import catalogue
from integrations.bidi import closed
from integrations.certificates import WARN_BEFORE, note
from integrations.errors import BudgetReached, EwsBlockedOnline
from integrations.ews_end import end_of_ews, is_concerned
from integrations.models import Destination, DisabledReason, Integration
from mailboxes.models import Bucket, Mailbox
from sync import budget, holds, invariants
from sync.invariants import Invariant
from sync.models import Activity, LedgerEntry, SetAsideEmail
from sync.status import Status, Tone, clock, hold_sentence, with_status
from sync.trends import with_units

UNFINISHED_AFTER = timedelta(hours=2)
USUALLY = 10
"""Emails on the same day of each of the last two weeks, from which on a day without any is worth a look."""
MOST = 25
"""Problems of one kind on a page. Behind them stand the lists."""


BROKEN = {
    Invariant.TEXT_CHANGED: ("Texts changed", Tone.BAD),
    Invariant.COMMENTS_MISSING: ("Comments missing", Tone.BAD),
    Invariant.COMMENTS_SURPLUS: ("Unknown comments", Tone.WARN),
    Invariant.CHECKPOINT_WENT_BACK: ("Checkpoint went back", Tone.BAD),
    Invariant.CHECKPOINT_MOVED: ("Checkpoint moved", Tone.WARN),
    Invariant.LEASE_OUTLIVED: ("Worker gone", Tone.WARN),
    Invariant.MAILBOX_UNTOUCHED: ("Overdue", Tone.WARN),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that fails or waits for somebody. The page chooses links and buttons by `about` and `subject`."""

    about: str
    """integration, ews_end, certificate, destination, bucket, budget, mailbox, mailboxes (of one integration) or set_aside"""
    subject: Any
    title: str
    text: str
    tone: Tone
    since: datetime | None
    count: int = 1
    status: str = ""
    kind: str = ""
    """Of the error, for the catalogue."""


def problems(now: datetime) -> list[Problem]:
    """Everything that needs attention, newest first. A failure that many mailboxes share is one problem."""
    found = [
        *_integrations(now),
        *_destinations(now),
        *_buckets(now),
        *_budgets(now),
        *_mailboxes(),
        *_failing(now),
        *_broken(now),
        *_unfinished(now),
        *_silent(now),
        *_set_aside(),
    ]
    return sorted(found, key=lambda problem: (problem.since is not None, problem.since), reverse=True)


def _integrations(now: datetime) -> Iterator[Problem]:
    """What holds them or stopped them, and what will end one day soon: EWS in Exchange Online, and certificates."""
    integrations = list(Integration.objects.order_by("pk"))
    held = (one for one in integrations if one.enabled and one.is_held)
    for integration in islice(held, MOST):
        text = hold_sentence(integration, now)
        yield Problem(
            "integration", integration, "Held", text, Tone.BAD, integration.held_since, kind=integration.held_kind
        )
    stopped = (one for one in integrations if not one.enabled and one.disabled_reason != DisabledReason.USER)
    for integration in islice(stopped, MOST):
        title = integration.get_disabled_reason_display()
        yield Problem("integration", integration, title, integration.disabled_detail, Tone.BAD, integration.updated_at)
    for integration in integrations:
        if integration.enabled:
            yield from _ends(integration, now)


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


def _destinations(now: datetime) -> Iterator[Problem]:
    for destination in Destination.objects.filter(held_until__isnull=False)[:MOST]:
        text = hold_sentence(destination, now)
        yield Problem(
            "destination", destination, "Held", text, Tone.BAD, destination.held_since, kind=destination.held_kind
        )


def _buckets(now: datetime) -> Iterator[Problem]:
    for bucket in Bucket.objects.filter(held_until__isnull=False).select_related("destination")[:MOST]:
        yield Problem(
            "bucket", bucket, "Held", hold_sentence(bucket, now), Tone.BAD, bucket.held_since, kind=bucket.held_kind
        )


def _budgets(now: datetime) -> Iterator[Problem]:
    """Buckets whose monthly limit is reached, or nearly; since the last comment that counted."""
    limited = with_units(Bucket.objects.exclude(monthly_limit=None).select_related("destination"), now)
    billed = LedgerEntry.objects.filter(bucket=OuterRef("pk"), billed=True).order_by("-created_at").values("created_at")
    near = limited.filter(units__gte=F("monthly_limit") * budget.WARN_AT).annotate(latest=Subquery(billed[:1]))
    for bucket in near.order_by("-latest")[:MOST]:
        limit, used = bucket.monthly_limit or 0, bucket.units
        reached = used >= limit
        title, tone = ("Limit reached", Tone.BAD) if reached else ("Nearly at its limit", Tone.WARN)
        text = f"{used:,} of {limit:,} AI units are used this month."
        if reached:
            text += f" {BudgetReached.remedy}"
        yield Problem("budget", bucket, title, text, tone, bucket.latest, kind=BudgetReached.kind)


def _mailboxes() -> Iterator[Problem]:
    disabled = Mailbox.objects.filter(enabled=False, integration__enabled=True).exclude(
        Q(disabled_reason=DisabledReason.USER) | Q(disabled_detail__startswith=BudgetReached.text)
    )
    for mailbox in disabled.select_related("integration", "state").order_by("-updated_at")[:MOST]:
        since = getattr(getattr(mailbox, "state", None), "failing_since", None) or mailbox.updated_at
        title = mailbox.get_disabled_reason_display()
        yield Problem("mailbox", mailbox, title, mailbox.disabled_detail, Tone.BAD, since)


def _failing(now: datetime) -> Iterator[Problem]:
    """Mailboxes whose last sync failed, those of one integration with one kind of error together. What is held as a whole is
    told as a whole."""
    failing = with_status(Mailbox.objects.filter(holds.not_held(), enabled=True), now).filter(
        status__in=[Status.HELD, Status.NEEDS_YOU]
    )
    groups = (
        failing.order_by()
        .values("integration_id", "state__error_kind", "status")
        .annotate(count=Count("pk"), since=Max("state__failing_since"), sample=Min("pk"))
        .order_by("-since")[:MOST]
    )
    rows = list(groups)
    samples = Mailbox.objects.select_related("integration", "state").in_bulk([row["sample"] for row in rows])
    for row in rows:
        mailbox = samples.get(row["sample"])
        if mailbox is None:
            continue  # deleted between the two queries
        about, subject = ("mailbox", mailbox) if row["count"] == 1 else ("mailboxes", mailbox.integration)
        status = Status(row["status"])
        yield Problem(
            about,
            subject,
            status.label,
            mailbox.state.error_text,
            status.tone,
            row["since"],
            row["count"],
            status,
            row["state__error_kind"],
        )


def _broken(now: datetime) -> Iterator[Problem]:
    """What must never be: see `sync.invariants`."""
    for it in invariants.broken(now):
        about = "bucket" if isinstance(it.subject, Bucket) else "mailboxes"
        title, tone = BROKEN[it.invariant]
        status = ""
        if it.invariant is Invariant.MAILBOX_UNTOUCHED:
            status = Status.WAITING if invariants.WAITING in it.text else Status.OVERDUE
        yield Problem(about, it.subject, title, it.text, tone, it.since, it.count, status)


def _unfinished(now: datetime) -> Iterator[Problem]:
    """Mailboxes whose syncs neither fail nor come to their end."""
    running = with_status(Mailbox.objects.all(), now).filter(
        status__in=[Status.IN_PROGRESS, Status.WAITING, Status.UP_TO_DATE], state__synced_at__lt=now - UNFINISHED_AFTER
    )
    for mailbox in running.select_related("integration", "state").order_by("state__synced_at")[:MOST]:
        since = mailbox.state.synced_at or now
        text = (
            f"No sync of it came to its end since {clock(since, now)}, although none failed. "
            "It may be catching up with much mail; else look at its runs and at the workers."
        )
        yield Problem("mailbox", mailbox, "Silent", text, Tone.WARN, since)


def _silent(now: datetime) -> Iterator[Problem]:
    """Where mail usually arrives and has not for a day, although nothing failed: a changed transport rule, a full journal."""
    day, week = timedelta(days=1), timedelta(days=7)

    def created(begin: datetime) -> Sum:
        return Sum("created", filter=Q(hour__gte=begin, hour__lt=begin + day), default=0)

    groups = (
        Activity.objects.filter(hour__gte=now - day - 2 * week, integration__enabled=True)
        .order_by()
        .values("integration_id", "bucket_id")
        .annotate(today=created(now - day), last=created(now - day - week), before=created(now - day - 2 * week))
        .annotate(latest=Max("hour", filter=Q(created__gt=0)))
    )
    rows = [row for row in groups if not row["today"] and min(row["last"], row["before"]) >= USUALLY][:MOST]
    integrations = Integration.objects.in_bulk([row["integration_id"] for row in rows])
    buckets = Bucket.objects.in_bulk([row["bucket_id"] for row in rows])
    for row in rows:
        text = (
            f"No new email for {buckets[row['bucket_id']]} in the last 24 hours; there were {row['last']:,} on the same day a "
            "week ago. Nothing failed: ask whether the mail still reaches these mailboxes."
        )
        yield Problem("mailboxes", integrations[row["integration_id"]], "Silent", text, Tone.WARN, row["latest"])


def _set_aside() -> Iterator[Problem]:
    """Emails that were set aside, those of one mailbox with one reason together."""
    open_ones = SetAsideEmail.objects.waiting()
    groups = (
        open_ones.order_by()
        .values("mailbox_id", "reason")
        .annotate(count=Count("pk"), since=Max("last_at"), sample=Max("pk"))
        .order_by("-since")[:MOST]
    )
    rows = list(groups)
    samples = SetAsideEmail.objects.select_related("mailbox__integration").in_bulk([row["sample"] for row in rows])
    for row in rows:
        email = samples.get(row["sample"])
        if email is None:
            continue  # settled between the two queries
        entry = catalogue.set_aside_entry(email.stage, email.reason)
        text = f"{entry.text} ({closed(email.reason)}) {entry.remedy}"
        yield Problem("set_aside", email, "Set aside", text, Tone.WARN, row["since"], row["count"], kind=entry.kind)
