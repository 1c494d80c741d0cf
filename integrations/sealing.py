"""Whether the secrets of a row can be used as they are stored, as a sentence for its admin."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

from integrations.bound import BindsSecrets, secret_fields
from integrations.encryption import key_ring
from integrations.errors import SecretElsewhere, SecretUnreadable


def problem_with_keys() -> str:
    """Why nothing can be sealed or opened; empty when all is well."""
    try:
        key_ring()
    except ImproperlyConfigured as error:
        return str(error)
    return ""


def problem_with_secrets(row: BindsSecrets) -> str:
    """Why one of them cannot be opened, or may not be sent to where the row says, and what to do; empty when all is well. What
    is in them is looked at by nobody."""
    try:
        for name in secret_fields(type(row)):
            row.opened(name)
            getattr(row, name).reveal()
    except (SecretUnreadable, SecretElsewhere, ImproperlyConfigured) as error:
        return str(error)
    return ""
