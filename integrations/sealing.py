"""Check whether the stored secrets of a row can be used. The result is a text for an admin."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

from integrations.bound import BindsSecrets, secret_fields
from integrations.encryption import key_ring
from integrations.errors import SecretElsewhere, SecretUnreadable


def problem_with_keys() -> str:
    """Return why this process can neither encrypt nor decrypt secrets.

    Returns:
        The problem and what to do; empty where there is no problem.
    """
    try:
        key_ring()
    except ImproperlyConfigured as error:
        return str(error)
    return ""


def problem_with_secrets(row: BindsSecrets) -> str:
    """Return why a secret of a row cannot be decrypted, or must not be sent to the place that the row describes.

    The decrypted texts are discarded.

    Args:
        row: The row with the secrets.

    Returns:
        The first problem and what to do; empty where there is no problem.
    """
    try:
        for name in secret_fields(type(row)):
            row.opened(name)
            getattr(row, name).reveal()
    except (SecretUnreadable, SecretElsewhere, ImproperlyConfigured) as error:
        return str(error)
    return ""
