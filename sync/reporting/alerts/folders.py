"""Alerts about folders that cannot be read: one alert for each mailbox."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, Max, Min

from integrations.errors import sentence
from sync.models import SyncedFolder
from sync.reporting.alerts.group import Group
from sync.reporting.status import Tone, clock


def left_out(now: datetime) -> Iterator[Group]:
    """Yield a group for each running mailbox that leaves out at least one folder.

    The alert dates from the time at which the last of these folders became unreadable.

    Args:
        now: Current time, aware.

    Yields:
        A group of one mailbox.
    """
    running = SyncedFolder.objects.left_out().filter(mailbox__enabled=True, mailbox__integration__enabled=True)
    rows = (
        running.order_by()
        .values("mailbox_id", "mailbox__integration_id")
        .annotate(
            count=Count("pk"),
            since=Max("refused_since"),
            next=Min("retry_at"),
            kind=Max("refused_kind"),
            detail=Max("refused_detail"),
        )
    )
    for row in rows:
        is_one = row["count"] == 1
        subject = "1 folder cannot be read and is" if is_one else f"{row['count']:,} folders cannot be read and are"
        text = f"{subject} left out. {sentence(row['kind'], row['detail'])}"
        if row["next"] is not None and row["next"] > now:
            text += f" Next try {clock(row['next'], now)}."
        title = "Folder left out" if is_one else "Folders left out"
        integration, mailbox = row["mailbox__integration_id"], row["mailbox_id"]
        yield Group(integration, 1, mailbox, title, text, Tone.WARN, row["since"], kind=row["kind"])
