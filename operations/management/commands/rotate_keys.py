"""Seal every stored secret anew with the newest key, so that older keys can be taken away."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import models

from integrations.encryption import EncryptedField, Secret, fingerprints, key_ring
from integrations.errors import SecretUnreadable


class Command(BaseCommand):
    help = "Seal every stored secret with the first key of ENCRYPTION_KEYS. Safe while the product runs."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            key_ring()
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
        rotated, unreadable = 0, []
        for model in apps.get_models():
            for field in model._meta.get_fields():
                if isinstance(field, EncryptedField):
                    done, failed = rotate(model, field.attname)
                    rotated += done
                    unreadable += failed
        self.stdout.write(f"{rotated} secrets are sealed with key {fingerprints(settings.ENCRYPTION_KEYS)[0]}.")
        if unreadable:
            raise CommandError(
                f"{len(unreadable)} cannot be opened with any key here: {', '.join(unreadable)}. "
                "Keep the older keys in ENCRYPTION_KEYS, or enter these secrets again."
            )


def rotate(model: type[models.Model], attribute: str) -> tuple[int, list[str]]:
    """How many were rotated, and the names of those that no key opens.

    Compare-and-swap on the sealed text: a secret that an admin changes at this moment is left as he wrote it.
    """
    rotated, unreadable = 0, []
    for pk, secret in model._default_manager.exclude(**{attribute: ""}).values_list("pk", attribute):
        try:
            fresh = secret.rotated()
        except SecretUnreadable:
            unreadable.append(f"{model._meta.verbose_name} {pk} {attribute}")
            continue
        rotated += _swap(model, pk, attribute, secret, fresh)
    return rotated, unreadable


def _swap(model: type[models.Model], pk: Any, attribute: str, old: Secret, new: Secret) -> int:
    return model._default_manager.filter(pk=pk, **{attribute: old}).update(**{attribute: new})
