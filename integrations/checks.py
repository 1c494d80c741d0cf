"""System checks: a missing or wrong setting is reported at start-up, with what to do."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from integrations.encryption import key_ring


@register()
def keys_are_usable(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that `ENCRYPTION_KEYS` has at least one key, and that all of its keys are valid.

    Args:
        app_configs: As in Django; unused.
        **kwargs: As in Django; unused.

    Returns:
        The errors.
    """
    try:
        key_ring()
    except ImproperlyConfigured as error:
        return [
            Error(
                str(error),
                hint="Until this is corrected, no credentials can be stored or used.",
                id="reinfer_exchange.E001",
            )
        ]
    return []


@register()
def secret_key_is_set(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that `SECRET_KEY` is set.

    Args:
        app_configs: As in Django; unused.
        **kwargs: As in Django; unused.

    Returns:
        The errors.
    """
    try:
        if settings.SECRET_KEY:
            return []
    except ImproperlyConfigured:
        pass  # Django's own message does not state how to make a key; the error below does
    hint = 'Make one with: python -c "import secrets; print(secrets.token_urlsafe(50))"'
    return [Error("SECRET_KEY is not set.", hint=hint, id="reinfer_exchange.E002")]


@register()
def times_fit_together(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that `LEASE` is longer than `EXCHANGE_DEADLINE`, and longer than twice `REINFER_DEADLINE`.

    If a call took longer than the lease, another worker could take the mailbox, and both workers would push at the same time.

    Args:
        app_configs: As in Django; unused.
        **kwargs: As in Django; unused.

    Returns:
        The errors.
    """
    if settings.LEASE > 2 * settings.REINFER_DEADLINE and settings.LEASE > settings.EXCHANGE_DEADLINE:
        return []
    hint = "Raise LEASE, or lower REINFER_DEADLINE and EXCHANGE_DEADLINE."
    problem = "LEASE must be longer than EXCHANGE_DEADLINE, and longer than twice REINFER_DEADLINE."
    return [Error(problem, hint=hint, id="reinfer_exchange.E003")]


@register()
def conversion_deadline_is_long_enough(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that `CONVERSION_DEADLINE` is at least one second.

    Args:
        app_configs: As in Django; unused.
        **kwargs: As in Django; unused.

    Returns:
        The errors.
    """
    if settings.CONVERSION_DEADLINE.total_seconds() >= 1:
        return []
    hint = "Remove the setting to use the default of 20 seconds."
    return [Error("CONVERSION_DEADLINE must be at least one second.", hint=hint, id="reinfer_exchange.E004")]
