"""Take values out of a document key by key. Pure.

An error names its place in the document. A key that is left at the end is a warning.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from operations.documents.desired import DocumentWrong

LONGEST = 60
"""Characters of a key that are quoted."""


class Keys:
    """One object of a document. Each key that is read is taken out; `end` reports the rest."""

    def __init__(self, value: Any, place: str, warnings: list[str]) -> None:
        """Take a copy of the object.

        Args:
            value: The object.
            place: Its place in the document for error texts, such as "mailboxes[3]"; empty for the document itself.
            warnings: The list that `end` appends to.

        Raises:
            DocumentWrong: The value is no object.
        """
        if not isinstance(value, Mapping):
            raise DocumentWrong(f"{place or 'The document'} must be an object.")
        self._rest = dict(value)
        self._place = place
        self._warnings = warnings

    def at(self, key: str) -> str:
        """Return the place of a key for error texts.

        Args:
            key: The key.

        Returns:
            Such as "mailboxes[3].email".
        """
        return f"{self._place}.{key}" if self._place else key

    def has(self, key: str) -> bool:
        """Return whether a key has a value other than null.

        Args:
            key: The key.

        Returns:
            Whether it has.
        """
        return self._rest.get(key) is not None

    def text(self, key: str, default: str = "") -> str:
        """Take a text.

        Args:
            key: The key.
            default: The text where the key is missing or null.

        Returns:
            The text.

        Raises:
            DocumentWrong: The value has another type.
        """
        value: str = self._typed(key, str, "a text", default)
        return value

    def needed(self, key: str) -> str:
        """Take a text that is required.

        Args:
            key: The key.

        Returns:
            The text, not blank.

        Raises:
            DocumentWrong: The value is missing, blank or no text.
        """
        value = self.text(key)
        if not value.strip():
            raise DocumentWrong(f"{self.at(key)} is missing.")
        return value

    def flag(self, key: str, default: bool | None) -> bool | None:
        """Take a boolean.

        Args:
            key: The key.
            default: The value where the key is missing or null.

        Returns:
            The value.

        Raises:
            DocumentWrong: The value has another type.
        """
        value: bool | None = self._typed(key, bool, "true or false", default)
        return value

    def number(self, key: str) -> int | None:
        """Take a whole number.

        Args:
            key: The key.

        Returns:
            The number; None where the key is missing or null.

        Raises:
            DocumentWrong: The value has another type.
        """
        value: int | None = self._typed(key, int, "a whole number", None)
        if isinstance(value, bool):
            raise DocumentWrong(f"{self.at(key)} must be a whole number.")
        return value

    def moment(self, key: str) -> datetime | None:
        """Take a time in ISO 8601. Without an offset, the time is in UTC.

        Args:
            key: The key.

        Returns:
            The time in UTC; None where the key is missing, null or an empty text.

        Raises:
            DocumentWrong: The value is no such time.
        """
        text = self.text(key)
        if not text:
            return None
        try:
            found = datetime.fromisoformat(text)
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            raise DocumentWrong(f"{self.at(key)} must be a time like 2026-03-01T00:00:00Z.") from None

    def texts(self, key: str) -> tuple[str, ...]:
        """Take a list of texts.

        Args:
            key: The key.

        Returns:
            The texts, none of them blank.

        Raises:
            DocumentWrong: The value has another type.
        """
        return tuple(self._text_in(entry, key) for entry in self._typed(key, list, "a list", []))

    def paths(self, key: str) -> tuple[tuple[str, ...], ...]:
        """Take a list of folder paths, each a list of names.

        Args:
            key: The key.

        Returns:
            The paths.

        Raises:
            DocumentWrong: The value has another type.
        """
        found = []
        for entry in self._typed(key, list, "a list of paths", []):
            if not isinstance(entry, list) or not entry:
                raise DocumentWrong(f"{self.at(key)} must hold paths, each a list of folder names.")
            found.append(tuple(self._text_in(name, key) for name in entry))
        return tuple(found)

    def inner(self, key: str) -> Keys:
        """Take an object inside this one.

        Args:
            key: The key.

        Returns:
            The object.

        Raises:
            DocumentWrong: The value is no object.
        """
        return Keys(self._rest.pop(key, None), self.at(key), self._warnings)

    def taken(self, key: str) -> Any:
        """Take any value.

        Args:
            key: The key.

        Returns:
            The value; None where the key is missing.
        """
        return self._rest.pop(key, None)

    def passed_over(self, *keys: str) -> None:
        """Ignore known keys that are not used here.

        Args:
            *keys: The keys.
        """
        for key in keys:
            self._rest.pop(key, None)

    def end(self) -> None:
        """Append a warning for each key that was not taken, since it can be a typing error."""
        for key in self._rest:
            self._warnings.append(f"{self.at(str(key)[:LONGEST])} is not known here and was ignored.")

    def _typed(self, key: str, kind: type, what: str, default: Any) -> Any:
        value = self._rest.pop(key, None)
        if value is None:
            return default
        if not isinstance(value, kind):
            raise DocumentWrong(f"{self.at(key)} must be {what}.")
        return value

    def _text_in(self, entry: Any, key: str) -> str:
        if not isinstance(entry, str) or not entry.strip():
            raise DocumentWrong(f"{self.at(key)} must hold texts.")
        return entry
