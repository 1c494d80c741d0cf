"""Mailboxes that were disabled, that fail, or whose syncs neither fail nor end; those of one integration together."""

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
from sync.reporting.attention.group import Group
from sync.reporting.status import Status, Tone, bare, with_status

UNFINISHED_AFTER = timedelta(hours=2)
TOLD_OTHERWISE = [Status.STOPPED, Status.NEEDS_YOU, Status.HELD, Status.OVERDUE]
SEVERAL = 3
"""Pauses between two syncs without the end of one."""


def disabled() -> Iterator[Group]:
    """Those that were disabled for one reason. What stopped for its budget is told of the bucket."""
    stopped = Mailbox.objects.filter(by_itself(), integration__enabled=True)
    rows = (
        stopped.order_by()
        .values("integration_id", "disabled_reason", "disabled_kind")
        .annotate(
            count=Count("pk"),
            detail=Max("disabled_detail"),
            since=Max(Coalesce("disabled_at", "updated_at")),
            one=Min("pk"),
        )
    )
    for row in rows:
        kind, title = row["disabled_kind"], DisabledReason(row["disabled_reason"]).label
        text = sentence(kind, row["detail"])
        yield Group(
            row["integration_id"], row["count"], row["one"], title, text, Tone.BAD, row["since"],
            Status.NEEDS_YOU, kind, "start" if kind else "",
        )  # fmt: skip


def failing(now: datetime) -> Iterator[Group]:
    """Mailboxes whose last sync failed, those with one kind of error together. What is held as a whole is told as a whole."""
    failed = with_status(Mailbox.objects.filter(connection_breakers.not_held(), enabled=True), now).filter(
        status__in=[Status.HELD, Status.NEEDS_YOU]
    )
    rows = (
        failed.order_by()
        .values("integration_id", "state__error_kind", "status")
        .annotate(count=Count("pk"), since=Max("state__failing_since"), one=Min("pk"), text=Max("state__error_text"))
    )
    for row in rows:
        status = Status(row["status"])
        yield Group(
            row["integration_id"], row["count"], row["one"], status.label, row["text"], status.tone, row["since"],
            status, row["state__error_kind"], "sync-now",
        )  # fmt: skip


def unfinished(now: datetime, integrations: Iterable[Integration]) -> Iterator[Group]:
    """Mailboxes whose syncs neither fail nor come to their end, for several pauses of their integration; since the last
    end, or since one was asked for. A first sync that brings mail may take as long as it needs."""
    quiet_since = Greatest(Coalesce("state__synced_at", "state__asked_at"), "state__asked_at")
    every = with_status(Mailbox.objects.annotate(quiet_since=quiet_since), now).filter(_too_long(now, integrations))
    running = every.exclude(status__in=TOLD_OTHERWISE)
    lately = SyncRun.objects.filter(mailbox=OuterRef("pk"), started_at__gt=now - UNFINISHED_AFTER, created__gt=0)
    rows = (
        running.exclude(Q(state__synced_at=None) & Exists(lately))
        .order_by()
        .values("integration_id")
        .annotate(count=Count("pk"), since=Min("quiet_since"), one=Min("pk"))
    )
    for row in rows:
        what = "it" if row["count"] == 1 else "any of them"
        text = (
            f"No sync of {what} came to its end since {bare(row['since'], now)}, although none failed. "
            "It may be catching up with much mail; else look at the runs and at the workers."
        )
        yield Group(row["integration_id"], row["count"], row["one"], "Silent", text, Tone.WARN, row["since"])


def _too_long(now: datetime, integrations: Iterable[Integration]) -> Q:
    """Of each integration by its own pause."""
    found = Q(pk__in=[])
    for integration in integrations:
        if integration.enabled:
            patience = max(UNFINISHED_AFTER, SEVERAL * retry_policy.longest_pause(outcome.interval(integration)))
            found |= Q(integration=integration.pk, quiet_since__lt=now - patience)
    return found
