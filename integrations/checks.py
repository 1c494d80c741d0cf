"""System checks: a setting that is missing or wrong is told at start-up, with what to do about it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from integrations.encryption import key_ring


@register()
def keys_are_usable(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        key_ring()
    except ImproperlyConfigured as error:
        return [Error(str(error), hint="Without it no credentials can be kept.", id="reinfer_exchange.E001")]
    return []


@register()
def secret_key_is_set(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        if settings.SECRET_KEY:
            return []
    except ImproperlyConfigured:
        pass  # Django's own words for it tell nobody how to make one
    hint = 'Make one with: python -c "import secrets; print(secrets.token_urlsafe(50))"'
    return [Error("SECRET_KEY is not set.", hint=hint, id="reinfer_exchange.E002")]


@register()
def times_fit_together(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A push must end before its lease can: else two workers could push at once."""
    if settings.LEASE > 2 * settings.REINFER_DEADLINE and settings.LEASE > settings.EXCHANGE_DEADLINE:
        return []
    hint = "Raise LEASE, or lower REINFER_DEADLINE and EXCHANGE_DEADLINE."
    return [Error("LEASE must be longer than a single call may take.", hint=hint, id="reinfer_exchange.E003")]


@register()
def a_conversion_has_time(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.CONVERSION_DEADLINE.total_seconds() >= 1:
        return []
    hint = "Leave it out for the default of 20 seconds."
    return [Error("CONVERSION_DEADLINE must be a second or more.", hint=hint, id="reinfer_exchange.E004")]
