"""Emails that were set aside, those of one mailbox with one reason together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count, Max

from integrations import catalogue
from integrations.bidi import closed
from sync.attention.problem import MOST, Problem, Problems, first
from sync.models import SetAsideEmail
from sync.status import Tone


def set_aside(now: datetime) -> Problems:
    groups = (
        SetAsideEmail.objects.waiting()
        .order_by()
        .values("mailbox_id", "reason")
        .annotate(count=Count("pk"), since=Max("last_at"), sample=Max("pk"))
        .order_by("-since")
    )
    rows = list(groups)
    return first(_told(rows[:MOST]), len(rows))


def _told(rows: Sequence[Any]) -> Iterator[Problem]:
    samples = SetAsideEmail.objects.select_related("mailbox__integration").in_bulk([row["sample"] for row in rows])
    for row in rows:
        email = samples.get(row["sample"])
        if email is None:
            continue  # settled between the two queries
        entry = catalogue.set_aside_entry(email.stage, email.reason)
        text = f"{entry.text} ({closed(email.reason)}) {entry.remedy}"
        yield Problem("set_aside", email, "Set aside", text, Tone.WARN, row["since"], row["count"], kind=entry.kind)
