"""Find the mailboxes that an error kind affects."""

from __future__ import annotations

from django.db.models import Q


def stopped_by(kind: str) -> Q:
    """Return a condition for mailboxes that fail or were disabled because of an error kind.

    The condition is true for enabled mailboxes whose last sync failed with this kind, and for mailboxes that an error
    of this kind disabled.

    Args:
        kind: The error kind.

    Returns:
        A condition for `filter` of mailboxes.
    """
    failing = Q(enabled=True, state__failures__gt=0, state__error_kind=kind)
    return failing | Q(enabled=False, disabled_kind=kind)
