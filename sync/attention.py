"""What needs an admin's attention now, newest first: each with what to do about it, and on what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Min, Q, Sum

from integrations.certificates import WARN_BEFORE, note
from integrations.errors import BudgetReached, EwsBlockedOnline
from integrations.ews_end import end_of_ews, is_concerned
from integrations.models import Destination, DisabledReason, Integration
from mailboxes.models import Bucket, Mailbox
from sync import budget
from sync.models import Activity, SetAsideEmail
from sync.status import Status, Tone, clock, hold_sentence, with_status

UNFINISHED_AFTER = timedelta(hours=2)
USUALLY = 10
"""Emails on the same day of each of the last two weeks, from which on a day without any is worth a look."""
MOST = 25
"""Problems of one kind on a page. Behind them stand the lists."""


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
        *_ends(now),
        *_destinations(now),
        *_buckets(now),
        *_budgets(now),
        *_mailboxes(),
        *_failing(now),
        *_overdue(now),
        *_unfinished(now),
        *_silent(now),
        *_set_aside(),
    ]
    return sorted(found, key=lambda problem: (problem.since is not None, problem.since), reverse=True)


def _integrations(now: datetime) -> Iterator[Problem]:
    for integration in Integration.objects.filter(enabled=True, held_until__isnull=False)[:MOST]:
        text = hold_sentence(integration, now)
        yield Problem(
            "integration", integration, "Held", text, Tone.BAD, integration.held_since, kind=integration.held_kind
        )
    for integration in Integration.objects.filter(enabled=False).exclude(disabled_reason=DisabledReason.USER)[:MOST]:
        title = integration.get_disabled_reason_display()
        yield Problem("integration", integration, title, integration.disabled_detail, Tone.BAD, integration.updated_at)


def _ends(now: datetime) -> Iterator[Problem]:
    """What will end one day soon: EWS in Exchange Online, and certificates."""
    for integration in Integration.objects.filter(enabled=True).order_by("pk"):
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
    """Buckets whose monthly limit is reached, or nearly."""
    for bucket in Bucket.objects.exclude(monthly_limit=None).select_related("destination"):
        limit, used = bucket.monthly_limit or 0, budget.used(bucket, now)
        if used < limit * budget.WARN_AT:
            continue
        reached = used >= limit
        title, tone = ("Limit reached", Tone.BAD) if reached else ("Nearly at its limit", Tone.WARN)
        text = f"{used:,} of {limit:,} AI units are used this month."
        if reached:
            text += f" {BudgetReached.remedy}"
        yield Problem("budget", bucket, title, text, tone, budget.month_start(now), kind=BudgetReached.kind)


def _mailboxes() -> Iterator[Problem]:
    disabled = Mailbox.objects.filter(enabled=False, integration__enabled=True).exclude(
        Q(disabled_reason=DisabledReason.USER) | Q(disabled_detail__startswith=BudgetReached.text)
    )
    for mailbox in disabled.select_related("integration", "state").order_by("-updated_at")[:MOST]:
        since = getattr(getattr(mailbox, "state", None), "failing_since", None) or mailbox.updated_at
        title = mailbox.get_disabled_reason_display()
        yield Problem("mailbox", mailbox, title, mailbox.disabled_detail, Tone.BAD, since)


def _failing(now: datetime) -> Iterator[Problem]:
    """Mailboxes that are being retried, those of one integration with one kind of error together."""
    retrying = with_status(Mailbox.objects.all(), now).filter(status=Status.RETRYING)
    groups = (
        retrying.order_by()
        .values("integration_id", "state__error_kind")
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
        yield Problem(
            about,
            subject,
            "Retrying",
            mailbox.state.error_text,
            Tone.WARN,
            row["since"],
            row["count"],
            Status.RETRYING,
            row["state__error_kind"],
        )


def _overdue(now: datetime) -> Iterator[Problem]:
    late = with_status(Mailbox.objects.all(), now).filter(status=Status.OVERDUE)
    groups = late.order_by().values("integration_id").annotate(count=Count("pk"), since=Min("state__next_sync_at"))
    rows = list(groups.order_by("-since")[:MOST])
    integrations = Integration.objects.in_bulk([row["integration_id"] for row in rows])
    for row in rows:
        text = f"No worker took what was due {clock(row['since'], now)}. Check that worker and beat are running."
        subject = integrations[row["integration_id"]]
        yield Problem("mailboxes", subject, "Overdue", text, Tone.WARN, row["since"], row["count"], Status.OVERDUE)


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
        if row["sample"] in samples:
            yield Problem(
                "set_aside", samples[row["sample"]], "Set aside", row["reason"], Tone.WARN, row["since"], row["count"]
            )
