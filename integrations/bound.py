"""The base model of rows whose secrets are bound to the place that they may be sent to: see `integrations.binding`.

All code that sends a stored secret gets it from `opened`, which compares the stored place with the place that the row
describes now. So a page, an API call or a command cannot send a secret to another place by mistake: `opened` raises an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from django.db import models
from django.db.models.base import ModelBase

from integrations import binding
from integrations.binding import Place, Route
from integrations.encryption import EncryptedField, Secret
from integrations.errors import SecretElsewhere


class BindsSecrets(models.Model):
    """Abstract base of the models with bound secrets."""

    bindings = models.JSONField(
        default=dict, editable=False, help_text="Where each secret may be sent: the place that it was entered for."
    )

    place_fields: ClassVar[Sequence[str]]
    """Fields of the model that determine where its secrets are sent."""
    places_of: ClassVar[Callable[[Mapping[str, Any]], dict[str, Place]]]
    """Maps the values of `place_fields` to the place of each secret that is sent, by the field name of the secret."""
    route_of: ClassVar[Callable[[Mapping[str, Any]], Route]]
    """Maps the values of `place_fields` to the servers of the connection."""
    refusal: ClassVar[type[SecretElsewhere]] = SecretElsewhere
    """The error of a secret that was entered for another place."""

    class Meta:
        abstract = True

    def save(
        self,
        *,
        force_insert: bool | tuple[ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Save the row. When a secret or a place field is saved, also update and save the binding of each secret.

        Args:
            force_insert: As in Django.
            force_update: As in Django.
            using: As in Django.
            update_fields: As in Django; `bindings` is added where a secret or a place field is in it.
        """
        names = secret_fields(type(self))
        written = None if update_fields is None else set(update_fields)
        if written is None or written & {*names, *self.place_fields}:
            self.bind()
            written = None if written is None else written | {"bindings"}
        super().save(force_insert=force_insert, force_update=force_update, using=using, update_fields=written)
        for name in names:
            # The secret is no longer new: if the place changes after this save, the secret must not be sent to the new place.
            setattr(self, name, Secret(getattr(self, name).token))

    def opened(self, name: str) -> str:
        """Return a secret as plain text, for the place that this row describes.

        Args:
            name: The field name of the secret.

        Returns:
            The secret; empty where the sign-in of this row does not use it.

        Raises:
            SecretElsewhere: The secret was entered for another place.
            SecretUnreadable: No key decrypts the secret.
            ImproperlyConfigured: This process has no usable key.
        """
        if name not in self.places():
            return ""
        if parts := self.not_for(name):
            raise self.refusal(", ".join(binding.LABELS[part] for part in parts))
        secret: Secret = getattr(self, name)
        return secret.reveal()

    def not_for(self, name: str, values: Mapping[str, Any] | None = None) -> list[str]:
        """Return the parts of the place that changed. If there are any, the stored secret must not be sent to the place.

        Args:
            name: The field name of the secret.
            values: Values of place fields that replace those of the row, by field name.

        Returns:
            Keys of `binding.LABELS`; empty where the secret may be sent, is new, or is not used.
        """
        secret: Secret = getattr(self, name)
        place = self.places(values).get(name)
        if not secret or secret.is_new or place is None:
            return []
        return binding.changed(self.bindings.get(name), place)

    def places(self, values: Mapping[str, Any] | None = None) -> dict[str, Place]:
        """Return where this row sends its secrets.

        Args:
            values: Values of place fields that replace those of the row, by field name.

        Returns:
            The place of each secret that the sign-in uses, by the field name of the secret.
        """
        current = {name: getattr(self, name) for name in self.place_fields}
        return type(self).places_of(current | dict(values or {}))

    def route(self) -> Route:
        """Return the servers that this row connects to: the role of each, and its host and port."""
        return type(self).route_of({name: getattr(self, name) for name in self.place_fields})

    def bind(self) -> None:
        """Update the stored place of each secret.

        A new secret gets the place that this row describes. A stored secret keeps its place, unless the
        new place is equivalent or protects the connection better. If a secret is blank, or is new and not used by the
        sign-in, its stored place is removed.
        """
        places, bindings = self.places(), dict(self.bindings)
        for name in secret_fields(type(self)):
            secret: Secret = getattr(self, name)
            if not secret or (secret.is_new and name not in places):
                bindings.pop(name, None)
            elif name in places and not self.not_for(name):
                bindings[name] = places[name]
        self.bindings = bindings


def secret_fields(model: type[models.Model]) -> list[str]:
    """Return the names of the encrypted fields of a model.

    Args:
        model: The model class.

    Returns:
        The field names, in the order of the model.
    """
    return [field.name for field in model._meta.concrete_fields if isinstance(field, EncryptedField)]


def label_of(model: type[models.Model], name: str) -> str:
    """Return the label of a model field for a form.

    Args:
        model: The model class.
        name: The field name.

    Returns:
        The verbose name, with a capital letter.
    """
    text = str(getattr(model._meta.get_field(name), "verbose_name", name))
    return text[:1].upper() + text[1:]
