"""Create and revoke tokens for the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from access.models import ApiToken
from operations.actor import Actor
from operations.results import recorded


def create(actor: Actor, user: Any, name: str, days: int) -> tuple[ApiToken, str]:
    """Create a token of a user, and delete the user's expired tokens.

    Args:
        actor: Who creates it.
        user: The user whose permissions the token has.
        name: A name for the token.
        days: Days until the token expires.

    Returns:
        The row, and the token itself, which is not stored.
    """
    ApiToken.objects.filter(user=user, expiry__lt=timezone.now()).delete()
    row, token = ApiToken.objects.create(user, expiry=timedelta(days=days), name=name)
    recorded(actor, f"The API token “{name}” was created.")
    return row, token


def revoke(actor: Actor, row: ApiToken) -> None:
    """Delete a token. The API refuses the token from now on.

    Args:
        actor: Who revokes it.
        row: The token.
    """
    row.delete()
    recorded(actor, f"The API token “{row.name}” was revoked.")
