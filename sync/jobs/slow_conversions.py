"""Report mailboxes with many slow emails: emails whose conversion was terminated at its deadline.

Each slow email occupies one slot of a worker for at least `CONVERSION_DEADLINE`.
"""

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
"""A mailbox with more slow emails than this is reported."""
WITHIN = timedelta(hours=1)
"""Period in which the emails are counted."""


@dataclass(frozen=True, slots=True)
class SlowMailbox:
    """A mailbox with its slow emails of the last hour.

    Attributes:
        mailbox: The mailbox.
        count: Number of slow emails.
        latest: When the conversion of the latest slow email was terminated, in UTC.
    """

    mailbox: Mailbox
    count: int
    latest: datetime

    @property
    def sentence(self) -> str:
        """The problem and the remedy, for pages and notifications."""
        return (
            f"{self.count:,} emails of the last hour took longer to convert than CONVERSION_DEADLINE. "
            "They are listed under Failed emails. Check their senders, and exclude them by a filter if these emails are not "
            "needed."
        )


def slow_mailboxes(now: datetime) -> Sequence[SlowMailbox]:
    """Return the mailboxes with more than `MANY` slow emails within `WITHIN`.

    Only first attempts are counted: a retry of a slow email is not another slow email.

    Args:
        now: The current time in UTC.

    Returns:
        The mailboxes.
    """
    recent = DeadLetter.objects.filter(
        kind=DeadLetterKind.CONVERSION_DEADLINE, attempts=1, last_at__gt=now - WITHIN, last_at__lte=now
    )
    rows = (
        recent.order_by().values("mailbox_id").annotate(count=Count("pk"), latest=Max("last_at")).filter(count__gt=MANY)
    )
    mailboxes = Mailbox.objects.select_related("integration").in_bulk([row["mailbox_id"] for row in rows])
    return [
        SlowMailbox(mailboxes[row["mailbox_id"]], row["count"], row["latest"])
        for row in rows
        if row["mailbox_id"] in mailboxes
    ]


def announce_slow_mailboxes(now: datetime) -> None:
    """Announce each slow mailbox, at most once per `WITHIN`.

    Args:
        now: The current time in UTC.
    """
    for slow in slow_mailboxes(now):
        mailbox = slow.mailbox
        announced = Notification.objects.filter(
            kind=NotificationKind.SLOW_EMAILS, mailbox_id=mailbox.pk, created_at__gt=timezone.now() - WITHIN
        )
        if not announced.exists():
            announce(
                NotificationKind.SLOW_EMAILS,
                f"{mailbox}: {slow.sentence}",
                integration_id=mailbox.integration_id,
                mailbox_id=mailbox.pk,
                facts={"emails": slow.count},
            )
