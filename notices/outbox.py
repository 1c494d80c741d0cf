"""Writing down what others shall be told, in the transaction in which it happens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from notices.models import Delivery, Kind, Notice, Webhook

RECOVERY = {Kind.INTEGRATION_DISABLED: Kind.INTEGRATION_RECOVERED, Kind.MAILBOX_DISABLED: Kind.MAILBOX_RECOVERED}


@transaction.atomic
def announce(
    kind: Kind,
    text: str,
    *,
    integration_id: int | None = None,
    mailbox_id: int | None = None,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Tell everybody who wants to know of this kind. `facts`: ids, names and reasons; never mail, never a secret."""
    notice = Notice.objects.create(
        kind=kind,
        text=text,
        facts=dict(facts or {}),
        integration_id=integration_id,
        mailbox_id=mailbox_id,
        open=kind in RECOVERY,
    )
    now = timezone.now()
    hooks = [hook for hook in Webhook.objects.filter(enabled=True) if not hook.events or kind in hook.events]
    deliveries = [Delivery(notice=notice, webhook=hook, next_at=now) for hook in hooks]
    if settings.NOTICES_MAIL_TO:
        deliveries.append(Delivery(notice=notice, webhook=None, next_at=now))
    Delivery.objects.bulk_create(deliveries)


@transaction.atomic
def recovered(integration_id: int, mailbox_id: int, names: tuple[str, str]) -> None:
    """A mailbox synced: what was told to stand still is over. `names`: of the integration and of the mailbox."""
    # A plain look first: after nearly every sync there is nothing to tell.
    open_ones = Notice.objects.filter(open=True, integration_id=integration_id)
    for told, of in set(open_ones.values_list("kind", "mailbox_id")):
        is_over = told == Kind.INTEGRATION_DISABLED or of == mailbox_id
        if is_over and open_ones.filter(kind=told, mailbox_id=of).update(open=False):
            name = names[of is not None]
            announce(RECOVERY[Kind(told)], f"{name} syncs again.", integration_id=integration_id, mailbox_id=of)
