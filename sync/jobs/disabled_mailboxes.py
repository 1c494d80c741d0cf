"""Find the mailboxes that a persistent error or the quota of Re:infer disabled. An admin has to start these mailboxes.

Mailboxes that a person stopped are not included. Mailboxes that the monthly limit of a bucket disabled are not included
either, because they start automatically.
"""

from __future__ import annotations

from django.db.models import Count, Max, Q, QuerySet

from integrations.errors import BudgetReached, sentence
from integrations.models import Destination, DisabledReason
from mailboxes.models import Bucket, Mailbox


def by_limit(prefix: str = "") -> Q:
    """Return the condition that the monthly limit of a bucket disabled a mailbox.

    Args:
        prefix: Lookup from the filtered model to the mailbox, such as `mailboxes__`. Empty for mailboxes.

    Returns:
        A condition for `filter`.
    """
    return Q(**{f"{prefix}enabled": False, f"{prefix}disabled_kind": BudgetReached.kind})


def by_itself(prefix: str = "") -> Q:
    """Return the condition that an error or the quota of Re:infer disabled a mailbox.

    Args:
        prefix: Lookup from the filtered model to the mailbox, such as `mailboxes__`. Empty for mailboxes.

    Returns:
        A condition for `filter`.
    """
    reasons = {f"{prefix}disabled_reason__in": [DisabledReason.SYNC_ERROR, DisabledReason.QUOTA]}
    return Q(**{f"{prefix}enabled": False}, **reasons) & ~by_limit(prefix)


def stopped_at(row: Destination | Bucket) -> QuerySet[Mailbox]:
    """Return the mailboxes of a destination or bucket that an error or the quota of Re:infer disabled.

    Args:
        row: The destination or the bucket.

    Returns:
        The mailboxes.
    """
    mailboxes = Mailbox.objects.filter(bucket__destination=row) if isinstance(row, Destination) else row.mailboxes.all()
    return mailboxes.filter(by_itself())


def reasons(mailboxes: QuerySet[Mailbox]) -> list[tuple[str, int]]:
    """Return the most frequent reasons why mailboxes are disabled.

    Args:
        mailboxes: The disabled mailboxes.

    Returns:
        At most three pairs of a sentence and the number of mailboxes, the most frequent first.
    """
    groups = mailboxes.order_by().values_list("disabled_kind").annotate(n=Count("pk"), detail=Max("disabled_detail"))
    return [(sentence(kind, detail), count) for kind, count, detail in groups.order_by("-n")[:3]]
