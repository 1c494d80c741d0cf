"""Emails that were set aside, those of one mailbox and one kind together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Min

from integrations import catalogue
from integrations.bidi import closed
from sync.models import DeadLetter
from sync.reporting.attention.problem import MOST, Problem, Problems, first
from sync.reporting.status import Tone


def set_aside(now: datetime) -> Problems:
    groups = (
        DeadLetter.objects.waiting()
        .order_by()
        .values("mailbox_id", "kind", "stage")
        .annotate(count=Count("pk"), since=Max("last_at"), sample=Max("pk"), least=Min("reason"), most=Max("reason"))
        .order_by("-since")
    )
    rows = list(groups)
    return first(_told(rows[:MOST]), len(rows))


def _told(rows: Sequence[Any]) -> Iterator[Problem]:
    samples = DeadLetter.objects.select_related("mailbox__integration").in_bulk([row["sample"] for row in rows])
    for row in rows:
        email = samples.get(row["sample"])
        if email is None:
            continue  # settled between the two queries
        entry = catalogue.set_aside_entry(row["kind"], row["stage"])
        said = f" ({closed(row['most'])})" if row["most"] and row["least"] == row["most"] else ""
        text = f"{entry.text}{said} {entry.remedy}"
        yield Problem("set_aside", email, "Set aside", text, Tone.WARN, row["since"], row["count"], kind=entry.kind)
