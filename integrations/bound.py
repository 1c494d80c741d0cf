"""A row with secrets that are bound to where they may be sent.

Everything that sends a stored secret gets it from `opened`, which asks where the row would send it now. So a page, a call of
the API or a command that forgets to ask cannot send a secret elsewhere: it gets an error instead.
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
    """Base of the models with such secrets."""

    bindings = models.JSONField(
        default=dict, editable=False, help_text="Where each secret may be sent: the place that it was entered for."
    )

    place_fields: ClassVar[Sequence[str]]
    """Fields of the model that say where its secrets are sent."""
    places_of: ClassVar[Callable[[Mapping[str, Any]], dict[str, Place]]]
    """From the values of these fields to the place of each secret that is sent, by the name of the secret's field."""
    route_of: ClassVar[Callable[[Mapping[str, Any]], Route]]
    """From these values to the servers, by what they are."""
    refusal: ClassVar[type[SecretElsewhere]] = SecretElsewhere

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
        names = secret_fields(type(self))
        written = None if update_fields is None else set(update_fields)
        if written is None or written & {*names, *self.place_fields}:
            self.bind()
            written = None if written is None else written | {"bindings"}
        super().save(force_insert=force_insert, force_update=force_update, using=using, update_fields=written)
        for name in names:
            # From now on it is a stored one: what is changed later is not what it was entered with.
            setattr(self, name, Secret(getattr(self, name).token))

    def opened(self, name: str) -> str:
        """The secret, to be sent to where this row says; empty when this row sends it nowhere.

        Raises `SecretElsewhere` when it was entered for another place, and `SecretUnreadable`.
        """
        if name not in self.places():
            return ""
        if parts := self.not_for(name):
            raise self.refusal(", ".join(binding.LABELS[part] for part in parts))
        secret: Secret = getattr(self, name)
        return secret.reveal()

    def not_for(self, name: str, values: Mapping[str, Any] | None = None) -> list[str]:
        """What keeps a stored secret from being sent to where this row says, or would say with these values: parts of the
        place, as `binding.changed` names them; empty when it may be sent, or is not sent at all."""
        secret: Secret = getattr(self, name)
        place = self.places(values).get(name)
        if not secret or secret.is_new or place is None:
            return []
        return binding.changed(self.bindings.get(name), place)

    def places(self, values: Mapping[str, Any] | None = None) -> dict[str, Place]:
        """Where this row sends its secrets, or would with these values."""
        found = {name: getattr(self, name) for name in self.place_fields}
        return type(self).places_of(found | dict(values or {}))

    def route(self) -> Route:
        """The servers that this row has the product talk to, by what they are: host and port alone."""
        return type(self).route_of({name: getattr(self, name) for name in self.place_fields})

    def bind(self) -> None:
        """Write down for each secret where it may be sent: a new one to where this row says. One that is stored keeps its
        place, but for differences that do not matter, and a better protection of the way."""
        places, bindings = self.places(), dict(self.bindings)
        for name in secret_fields(type(self)):
            secret: Secret = getattr(self, name)
            if not secret or (secret.is_new and name not in places):
                bindings.pop(name, None)
            elif name in places and not self.not_for(name):
                bindings[name] = places[name]
        self.bindings = bindings


def secret_fields(model: type[models.Model]) -> list[str]:
    """The names of the fields of a model that hold secrets."""
    return [field.name for field in model._meta.concrete_fields if isinstance(field, EncryptedField)]


def label_of(model: type[models.Model], name: str) -> str:
    """What a field is called, as a label of a form."""
    text = str(getattr(model._meta.get_field(name), "verbose_name", name))
    return text[:1].upper() + text[1:]
