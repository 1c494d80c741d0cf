"""Alerts about failed emails (dead letters), grouped by mailbox, kind and stage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Min

from integrations import catalogue
from integrations.bidi import closed
from sync.models import DeadLetter
from sync.reporting.alerts.problem import MOST, Problem, Problems, first
from sync.reporting.status import Tone


def failed_emails(now: datetime) -> Problems:
    """Return alerts about failed emails that wait for a retry or a decision: one for each group.

    A group consists of the failed emails of one mailbox with the same kind and stage.

    Args:
        now: Current time, aware.

    Returns:
        At most `MOST` alerts, newest first.
    """
    groups = (
        DeadLetter.objects.waiting()
        .order_by()
        .values("mailbox_id", "kind", "stage")
        .annotate(count=Count("pk"), since=Max("last_at"), sample=Max("pk"), least=Min("reason"), most=Max("reason"))
        .order_by("-since")
    )
    rows = list(groups)
    return first(_alerts(rows[:MOST]), len(rows))


def _alerts(rows: Sequence[Any]) -> Iterator[Problem]:
    samples = DeadLetter.objects.select_related("mailbox__integration").in_bulk([row["sample"] for row in rows])
    for row in rows:
        email = samples.get(row["sample"])
        if email is None:
            continue  # it was settled between the two queries
        entry = catalogue.dead_letter_entry(row["kind"], row["stage"])
        # The reason is shown if all emails of the group have the same reason.
        reason = f" ({closed(row['most'])})" if row["most"] and row["least"] == row["most"] else ""
        text = f"{entry.text}{reason} {entry.remedy}"
        yield Problem("set_aside", email, "Failed emails", text, Tone.WARN, row["since"], row["count"], kind=entry.kind)
