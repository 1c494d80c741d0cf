"""Which mailboxes stopped by themselves: an error that stayed or the quota of Re:infer disabled them, and they start when
somebody says so. Not those that a person stopped, and not those of a monthly limit of ours, which start by themselves."""

from __future__ import annotations

from django.db.models import Count, Max, Q, QuerySet

from integrations.errors import BudgetReached, sentence
from integrations.models import Destination, DisabledReason
from mailboxes.models import Bucket, Mailbox


def by_limit(prefix: str = "") -> Q:
    """Mailboxes that a monthly limit of ours stopped; with a prefix, rows that have one."""
    return Q(**{f"{prefix}enabled": False, f"{prefix}disabled_kind": BudgetReached.kind})


def by_itself(prefix: str = "") -> Q:
    """Mailboxes that an error or the quota of Re:infer stopped; with a prefix, rows that have one."""
    reasons = {f"{prefix}disabled_reason__in": [DisabledReason.SYNC_ERROR, DisabledReason.QUOTA]}
    return Q(**{f"{prefix}enabled": False}, **reasons) & ~by_limit(prefix)


def stopped_at(row: Destination | Bucket) -> QuerySet[Mailbox]:
    """Those of them that send to this destination, or into this bucket."""
    of = Mailbox.objects.filter(bucket__destination=row) if isinstance(row, Destination) else row.mailboxes.all()
    return of.filter(by_itself())


def reasons(mailboxes: QuerySet[Mailbox]) -> list[tuple[str, int]]:
    """What stopped them and how many it were, the most frequent first."""
    groups = mailboxes.order_by().values_list("disabled_kind").annotate(n=Count("pk"), detail=Max("disabled_detail"))
    return [(sentence(kind, detail), count) for kind, count, detail in groups.order_by("-n")[:3]]
