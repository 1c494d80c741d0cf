"""Whether the secrets of a page can be opened with the keys of this installation, as a sentence for its admin."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

from integrations.encryption import Secret, key_ring
from integrations.errors import SecretUnreadable


def problem_with_keys() -> str:
    """Why nothing can be sealed or opened; empty when all is well."""
    try:
        key_ring()
    except ImproperlyConfigured as error:
        return str(error)
    return ""


def problem_with_secrets(*secrets: Secret) -> str:
    """Why one of them cannot be opened, and what to do; empty when all can. What is in them is looked at by nobody."""
    try:
        for secret in secrets:
            secret.reveal()
    except (SecretUnreadable, ImproperlyConfigured) as error:
        return str(error)
    return ""
