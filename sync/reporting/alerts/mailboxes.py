"""Alerts about mailboxes that were disabled, fail, or completed no sync for a long time; grouped by integration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.db.models import Count, Exists, Max, Min, OuterRef, Q
from django.db.models.functions import Coalesce, Greatest

from integrations.errors import sentence
from integrations.models import DisabledReason, Integration
from mailboxes.models import Mailbox
from sync.engine import retry_policy
from sync.jobs import connection_breakers, outcome
from sync.jobs.disabled_mailboxes import by_itself
from sync.models import SyncRun
from sync.reporting.alerts.group import Group
from sync.reporting.status import Status, Tone, bare, with_status

UNFINISHED_AFTER = timedelta(hours=2)
REPORTED_ELSEWHERE = [Status.STOPPED, Status.NEEDS_YOU, Status.HELD, Status.OVERDUE]
SEVERAL = 3
"""An alert is shown if a mailbox completed no sync for `UNFINISHED_AFTER`, and for this many times the longest pause
between two syncs."""


def disabled() -> Iterator[Group]:
    """For each integration, yield a group for each reason why its mailboxes were disabled.

    Mailboxes that a monthly limit stopped are not included: `connections.budgets` reports their bucket.

    Yields:
        The mailboxes of one integration that were disabled for one reason.
    """
    stopped = Mailbox.objects.filter(by_itself(), integration__enabled=True)
    rows = (
        stopped.order_by()
        .values("integration_id", "disabled_reason", "disabled_kind")
        .annotate(
            count=Count("pk"),
            detail=Max("disabled_detail"),
            since=Max(Coalesce("disabled_at", "updated_at")),
            example=Min("pk"),
        )
    )
    for row in rows:
        kind, title = row["disabled_kind"], DisabledReason(row["disabled_reason"]).label
        text = sentence(kind, row["detail"])
        yield Group(
            row["integration_id"], row["count"], row["example"], title, text, Tone.BAD, row["since"],
            Status.NEEDS_YOU, kind, "start" if kind else "",
        )  # fmt: skip


def failing(now: datetime) -> Iterator[Group]:
    """For each integration, yield a group for each kind of error with which the last syncs of its mailboxes failed.

    Mailboxes behind an open circuit breaker are not included: `connections` reports the breaker.

    Args:
        now: Current time, aware.

    Yields:
        The mailboxes of one integration that fail with one kind of error.
    """
    failed = with_status(Mailbox.objects.filter(connection_breakers.breakers_closed(), enabled=True), now).filter(
        status__in=[Status.HELD, Status.NEEDS_YOU]
    )
    rows = (
        failed.order_by()
        .values("integration_id", "state__error_kind", "status")
        .annotate(
            count=Count("pk"), since=Max("state__failing_since"), example=Min("pk"), text=Max("state__error_text")
        )
    )
    for row in rows:
        status = Status(row["status"])
        yield Group(
            row["integration_id"], row["count"], row["example"], status.label, row["text"], status.tone, row["since"],
            status, row["state__error_kind"], "sync-now",
        )  # fmt: skip


def unfinished(now: datetime, integrations: Iterable[Integration]) -> Iterator[Group]:
    """Yield a group for each integration with mailboxes that do not fail, but completed no sync for a long time.

    A sync is complete when every folder was read to its end, which can take several runs. The time counts from the end
    of the last complete sync, or from a later request for a sync. A first sync that created comments within
    `UNFINISHED_AFTER` is not included, because it may take any time.

    Args:
        now: Current time, aware.
        integrations: All integrations.

    Yields:
        The mailboxes of one integration.
    """
    quiet_since = Greatest(Coalesce("state__synced_at", "state__asked_at"), "state__asked_at")
    every = with_status(Mailbox.objects.annotate(quiet_since=quiet_since), now).filter(_too_long(now, integrations))
    running = every.exclude(status__in=REPORTED_ELSEWHERE)
    recent = SyncRun.objects.filter(mailbox=OuterRef("pk"), started_at__gt=now - UNFINISHED_AFTER, created__gt=0)
    rows = (
        running.exclude(Q(state__synced_at=None) & Exists(recent))
        .order_by()
        .values("integration_id")
        .annotate(count=Count("pk"), since=Min("quiet_since"), example=Min("pk"))
    )
    for row in rows:
        mailboxes = "it" if row["count"] == 1 else "any of them"
        text = (
            f"No sync of {mailboxes} has read all mail since {bare(row['since'], now)}, although none failed. "
            "A large backlog of mail can be the cause; otherwise check the runs and the workers."
        )
        yield Group(row["integration_id"], row["count"], row["example"], "Silent", text, Tone.WARN, row["since"])


def _too_long(now: datetime, integrations: Iterable[Integration]) -> Q:
    """Return the condition that a mailbox completed no sync for too long, according to the poll interval of its integration."""
    found = Q(pk__in=[])
    for integration in integrations:
        if integration.enabled:
            patience = max(UNFINISHED_AFTER, SEVERAL * retry_policy.longest_pause(outcome.interval(integration)))
            found |= Q(integration=integration.pk, quiet_since__lt=now - patience)
    return found
