"""What stopped a mailbox or an integration: the kind of an error by its text, and the mailboxes that one kind stopped."""

from __future__ import annotations

from django.db.models import Q

from integrations import catalogue


def kind_of(detail: str) -> str:
    """Of what was written down when something was disabled: it begins with the text of its kind. Empty: of none."""
    fitting = [entry for entry in catalogue.entries() if detail.startswith(entry.text)]
    return max(fitting, key=lambda entry: len(entry.text)).kind if fitting else ""


def stopped_by(kind: str) -> Q:
    """Mailboxes whose last sync failed so, or that were disabled for it."""
    failing = Q(enabled=True, state__failures__gt=0, state__error_kind=kind)
    entry = catalogue.entry_of(kind)
    return failing | Q(enabled=False, disabled_detail__startswith=entry.text) if entry else failing
