"""Encryption of stored secrets: a key ring, a sealed (encrypted) value that is never printed, and a model field for it.

The newest key encrypts, and every key of the ring can decrypt (`MultiFernet`). So keys can be replaced while the product runs:
put the new key first, run `manage.py rotate_keys`, and then remove the old key.
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
else:  # Only the stubs of Django's fields accept type arguments.
    _TextField = models.TextField

HOW_TO_MAKE_A_KEY = (
    'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'  # a command, no secret
)


def key_ring() -> MultiFernet:
    """Return the keys of the setting `ENCRYPTION_KEYS`, newest first.

    Returns:
        The key ring.

    Raises:
        ImproperlyConfigured: No key is set, or a key is invalid. The message never contains a key.
    """
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
        # `from None`: a later version of the library could quote the key in its message.
        raise ImproperlyConfigured(
            f"Key number {number} of ENCRYPTION_KEYS is not a Fernet key. Make one with: {HOW_TO_MAKE_A_KEY}"
        ) from None


def fingerprints(keys: Sequence[str]) -> list[str]:
    """Return short digests that distinguish keys in a log without revealing them.

    Args:
        keys: The keys.

    Returns:
        Eight hexadecimal digits for each key, in the same order.
    """
    return [hashlib.sha256(key.encode()).hexdigest()[:8] for key in keys]


class Secret:
    """An encrypted text. `repr` and templates do not show it; only `reveal` returns the plain text.

    Attributes:
        token: The encrypted text; blank for no secret.
        is_new: Whether a user just entered the secret. Only a new secret may be bound to another place.
    """

    __slots__ = ("is_new", "token")

    def __init__(self, token: str, *, is_new: bool = False) -> None:
        """Wrap an encrypted text.

        Args:
            token: The encrypted text.
            is_new: Whether a user just entered the secret.
        """
        self.token = token
        self.is_new = is_new

    @classmethod
    def sealed(cls, plain: str) -> Secret:
        """Encrypt a new secret.

        Args:
            plain: The plain text; blank for no secret.

        Returns:
            The secret, marked as new.

        Raises:
            ImproperlyConfigured: This process has no usable key.
        """
        return cls(key_ring().encrypt(plain.encode()).decode() if plain else "", is_new=True)

    def reveal(self) -> str:
        """Decrypt the secret.

        Returns:
            The plain text; empty if there is no secret.

        Raises:
            SecretUnreadable: No key of the ring decrypts the secret.
            ImproperlyConfigured: This process has no usable key.
        """
        if not self.token:
            return ""
        try:
            return key_ring().decrypt(self.token.encode()).decode()
        except InvalidToken:
            raise SecretUnreadable from None

    def rotated(self) -> Secret:
        """Encrypt the same text with the newest key.

        Returns:
            The secret with the new encrypted text; this secret itself if it is blank.

        Raises:
            SecretUnreadable: No key of the ring decrypts the secret.
            ImproperlyConfigured: This process has no usable key.
        """
        if not self.token:
            return self
        try:
            return Secret(key_ring().rotate(self.token.encode()).decode())
        except InvalidToken:
            raise SecretUnreadable from None

    def __bool__(self) -> bool:
        """Return whether there is a secret."""
        return bool(self.token)

    def __eq__(self, other: object) -> bool:
        """Return whether the encrypted texts are equal."""
        return isinstance(other, Secret) and self.token == other.token

    def __hash__(self) -> int:
        """Return the hash of the encrypted text."""
        return hash(self.token)

    def __repr__(self) -> str:
        """Return whether a secret is set, without the secret."""
        return "<Secret set>" if self.token else "<Secret empty>"

    __str__ = __repr__


class _SealingAttribute(DeferredAttribute):
    """Encrypts a plain text when it is assigned, so that no model instance contains a plain text."""

    def __set__(self, instance: models.Model, value: Secret | str | None) -> None:
        sealed = value if isinstance(value, Secret) else Secret.sealed(value or "")
        instance.__dict__[self.field.attname] = sealed


class EncryptedField(_TextField):
    """A text that is stored encrypted. Its value is a `Secret`; a plain text or a `Secret` can be assigned."""

    descriptor_class = _SealingAttribute

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Create the field: blank by default and not editable.

        Args:
            *args: As in `TextField`.
            **kwargs: As in `TextField`.
        """
        kwargs.setdefault("default", "")
        kwargs.setdefault("blank", True)
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)

    def from_db_value(self, value: str | None, expression: object, connection: object) -> Secret:
        """Return the value of a column as a secret, without decrypting it."""
        return Secret(value or "")

    def to_python(self, value: Any) -> Any:
        """Return the value unchanged: the descriptor encrypts it."""
        return value

    def get_prep_value(self, value: Any) -> str:
        """Return the encrypted text for the column."""
        return value.token if isinstance(value, Secret) else Secret.sealed(value or "").token

    def value_to_string(self, obj: models.Model) -> str:
        """Return the encrypted text, for serialization."""
        return str(self.value_from_object(obj).token)
