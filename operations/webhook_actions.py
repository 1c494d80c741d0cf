"""Add and delete webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from notifications.models import Webhook
from operations.actor import Actor
from operations.results import recorded


def add(actor: Actor, values: Mapping[str, Any]) -> Webhook:
    """Store a new webhook.

    Args:
        actor: Who adds it.
        values: Valid values by the name of the model's field.

    Returns:
        The webhook.
    """
    row = Webhook.objects.create(**values)
    recorded(actor, f"A webhook to {row} was added.")
    return row


def delete(actor: Actor, row: Webhook) -> None:
    """Delete a webhook.

    Args:
        actor: Who deletes it.
        row: The webhook.
    """
    row.delete()
    recorded(actor, f"The webhook to {row} was deleted.")
