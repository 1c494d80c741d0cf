"""Mailboxes that bring many emails whose conversion was terminated at its deadline: each costs a worker the whole deadline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max
from django.utils import timezone

from integrations.dead_letter_reasons import DeadLetterKind
from mailboxes.models import Mailbox
from notifications.models import Notification, NotificationKind
from notifications.outbox import announce
from sync.models import DeadLetter

MANY = 10
"""A mailbox with more than these is told of."""
WITHIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SlowMailbox:
    """A mailbox with its slow emails of the last hour."""

    mailbox: Mailbox
    count: int
    latest: datetime

    @property
    def sentence(self) -> str:
        return (
            f"{self.count:,} emails of the last hour took longer to convert than CONVERSION_DEADLINE, and were set aside. "
            "Look at who sends them, and keep them out by a filter if nobody needs them."
        )


def slow_mailboxes(now: datetime) -> Sequence[SlowMailbox]:
    """Those with more than `MANY` within the hour before `now`. Emails that were tried again do not count: they are not new."""
    lately = DeadLetter.objects.filter(
        kind=DeadLetterKind.CONVERSION_DEADLINE, attempts=1, last_at__gt=now - WITHIN, last_at__lte=now
    )
    rows = (
        lately.order_by().values("mailbox_id").annotate(count=Count("pk"), latest=Max("last_at")).filter(count__gt=MANY)
    )
    mailboxes = Mailbox.objects.select_related("integration").in_bulk([row["mailbox_id"] for row in rows])
    return [
        SlowMailbox(mailboxes[row["mailbox_id"]], row["count"], row["latest"])
        for row in rows
        if row["mailbox_id"] in mailboxes
    ]


def announce_slow_mailboxes(now: datetime) -> None:
    """Tell of each of them, once an hour at most."""
    for slow in slow_mailboxes(now):
        mailbox = slow.mailbox
        told = Notification.objects.filter(
            kind=NotificationKind.SLOW_EMAILS, mailbox_id=mailbox.pk, created_at__gt=timezone.now() - WITHIN
        )
        if not told.exists():
            announce(
                NotificationKind.SLOW_EMAILS,
                f"{mailbox}: {slow.sentence}",
                integration_id=mailbox.integration_id,
                mailbox_id=mailbox.pk,
                facts={"emails": slow.count},
            )
