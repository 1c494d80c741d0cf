"""The mailboxes that one kind of error stopped."""

from __future__ import annotations

from django.db.models import Q


def stopped_by(kind: str) -> Q:
    """Mailboxes whose last sync failed so, or that were disabled for it."""
    failing = Q(enabled=True, state__failures__gt=0, state__error_kind=kind)
    return failing | Q(enabled=False, disabled_kind=kind)
