"""Encrypt every stored secret with the newest key, the first of ENCRYPTION_KEYS, so that older keys can be removed."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import models

from integrations.encryption import EncryptedField, Secret, fingerprints, key_ring
from integrations.errors import SecretUnreadable
from operations.actor import Actor
from operations.results import recorded


class Command(BaseCommand):
    """The `rotate_keys` command."""

    help = "Encrypt every stored secret with the first key of ENCRYPTION_KEYS. Safe while the product is running."

    def handle(self, *args: Any, **options: Any) -> None:
        """Encrypt the secrets again.

        Args:
            *args: Unused.
            **options: The parsed options.

        Raises:
            CommandError: There is no valid key, or some secrets cannot be decrypted with any key. In the second case, all
                other secrets are encrypted.
        """
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
        text = f"{rotated} secrets are encrypted with key {fingerprints(settings.ENCRYPTION_KEYS)[0]}."
        self.stdout.write(recorded(Actor.of_command("rotate_keys"), text))
        if unreadable:
            raise CommandError(
                f"{len(unreadable)} secrets cannot be decrypted with any of the keys: {', '.join(unreadable)}. "
                "Keep the older keys in ENCRYPTION_KEYS, or enter these secrets again."
            )


def rotate(model: type[models.Model], attribute: str) -> tuple[int, list[str]]:
    """Encrypt one field of a model with the newest key.

    The update is a compare-and-swap on the encrypted text, so it does not overwrite a secret that an admin changes at the
    same time.

    Args:
        model: The model.
        attribute: The name of the field.

    Returns:
        How many secrets were encrypted, and the names of the secrets that no key decrypts.
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
