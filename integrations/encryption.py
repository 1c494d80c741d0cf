"""Secrets at rest: a ring of keys, a sealed value that never shows itself, and a model field that keeps one.

The newest key seals, every key of the ring opens (`MultiFernet`), so that keys can be replaced while the product runs:
put the new key first, run `manage.py rotate_keys`, take the old one away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from integrations.errors import SecretUnreadable

if TYPE_CHECKING:
    _TextField = models.TextField[Any, Any]
else:  # Django's fields know their type arguments only in stubs.
    _TextField = models.TextField

HOW_TO_MAKE_A_KEY = (
    'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'  # a command, no secret
)


def key_ring() -> MultiFernet:
    """The keys of the settings, newest first. Raises ImproperlyConfigured with what to do, never with a key in it."""
    return _ring(tuple(settings.ENCRYPTION_KEYS))


@lru_cache(maxsize=8)
def _ring(keys: tuple[str, ...]) -> MultiFernet:
    if not keys:
        raise ImproperlyConfigured(f"ENCRYPTION_KEYS is not set. Make a key with: {HOW_TO_MAKE_A_KEY}")
    return MultiFernet([_fernet(number, key) for number, key in enumerate(keys, 1)])


def _fernet(number: int, key: str) -> Fernet:
    try:
        return Fernet(key)
    except ValueError:
        # `from None`: the library's own text could one day quote what it was given.
        raise ImproperlyConfigured(
            f"Key number {number} of ENCRYPTION_KEYS is not a Fernet key. Make one with: {HOW_TO_MAKE_A_KEY}"
        ) from None


def fingerprints(keys: Sequence[str]) -> list[str]:
    """Eight hex digits for each key: enough to tell keys apart in a log, nothing to open a secret with."""
    return [hashlib.sha256(key.encode()).hexdigest()[:8] for key in keys]


class Secret:
    """A sealed text. It shows neither in `repr` nor in templates; only `reveal` opens it."""

    __slots__ = ("is_new", "token")

    def __init__(self, token: str, *, is_new: bool = False) -> None:
        self.token = token
        self.is_new = is_new
        """Whether somebody just entered it, so that it is meant for what it was entered with."""

    @classmethod
    def sealed(cls, plain: str) -> Secret:
        return cls(key_ring().encrypt(plain.encode()).decode() if plain else "", is_new=True)

    def reveal(self) -> str:
        """The text. Raises `SecretUnreadable` when no key of the ring opens it."""
        if not self.token:
            return ""
        try:
            return key_ring().decrypt(self.token.encode()).decode()
        except InvalidToken:
            raise SecretUnreadable from None

    def rotated(self) -> Secret:
        """The same text under the newest key. Raises `SecretUnreadable`."""
        if not self.token:
            return self
        try:
            return Secret(key_ring().rotate(self.token.encode()).decode())
        except InvalidToken:
            raise SecretUnreadable from None

    def __bool__(self) -> bool:
        return bool(self.token)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.token == other.token

    def __hash__(self) -> int:
        return hash(self.token)

    def __repr__(self) -> str:
        return "<Secret set>" if self.token else "<Secret empty>"

    __str__ = __repr__


class _SealingAttribute(DeferredAttribute):
    """Seals a plain text in the moment it is assigned, so that no model instance ever carries one."""

    def __set__(self, instance: models.Model, value: Secret | str | None) -> None:
        sealed = value if isinstance(value, Secret) else Secret.sealed(value or "")
        instance.__dict__[self.field.attname] = sealed


class EncryptedField(_TextField):
    """A text kept sealed. Reading gives a `Secret`, assigning takes a plain text or a `Secret`."""

    descriptor_class = _SealingAttribute

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("default", "")
        kwargs.setdefault("blank", True)
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)

    def from_db_value(self, value: str | None, expression: object, connection: object) -> Secret:
        return Secret(value or "")

    def to_python(self, value: Any) -> Any:
        return value

    def get_prep_value(self, value: Any) -> str:
        return value.token if isinstance(value, Secret) else Secret.sealed(value or "").token

    def value_to_string(self, obj: models.Model) -> str:
        return str(self.value_from_object(obj).token)
