"""Read the values of a document key by key. No I/O.

Each error text contains the place of the value in the document. `Keys.end` adds a warning for each key that was not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from operations.documents.desired import DocumentWrong

LONGEST = 60
"""Maximum number of characters of a key that a warning quotes."""


class Keys:
    """One object of a document. Reading a key removes the key; `end` adds warnings about the keys that were not read."""

    def __init__(self, value: Any, place: str, warnings: list[str]) -> None:
        """Copy the object.

        Args:
            value: The object.
            place: The place of the object in the document, for error texts, such as "mailboxes[3]"; empty for the document
                itself.
            warnings: The list that `end` appends to.

        Raises:
            DocumentWrong: The value is not an object.
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
            The place, such as "mailboxes[3].email".
        """
        return f"{self._place}.{key}" if self._place else key

    def has(self, key: str) -> bool:
        """Return whether a key has a value other than null.

        Args:
            key: The key.

        Returns:
            True if the key has such a value.
        """
        return self._rest.get(key) is not None

    def text(self, key: str, default: str = "") -> str:
        """Read and remove a text.

        Args:
            key: The key.
            default: The text if the key is missing or null.

        Returns:
            The text.

        Raises:
            DocumentWrong: The value has another type.
        """
        value: str = self._typed(key, str, "a text", default)
        return value

    def needed(self, key: str) -> str:
        """Read and remove a text that is required.

        Args:
            key: The key.

        Returns:
            The text, not blank.

        Raises:
            DocumentWrong: The value is missing, blank or of another type.
        """
        value = self.text(key)
        if not value.strip():
            raise DocumentWrong(f"{self.at(key)} is missing or empty.")
        return value

    def flag(self, key: str, default: bool | None) -> bool | None:
        """Read and remove a boolean.

        Args:
            key: The key.
            default: The value if the key is missing or null.

        Returns:
            The value.

        Raises:
            DocumentWrong: The value has another type.
        """
        value: bool | None = self._typed(key, bool, "true or false", default)
        return value

    def number(self, key: str) -> int | None:
        """Read and remove a whole number.

        Args:
            key: The key.

        Returns:
            The number; None if the key is missing or null.

        Raises:
            DocumentWrong: The value has another type.
        """
        value: int | None = self._typed(key, int, "a whole number", None)
        if isinstance(value, bool):
            raise DocumentWrong(f"{self.at(key)} must be a whole number.")
        return value

    def moment(self, key: str) -> datetime | None:
        """Read and remove a time in ISO 8601. Without an offset, the time is in UTC.

        Args:
            key: The key.

        Returns:
            The time in UTC; None if the key is missing, null or an empty text.

        Raises:
            DocumentWrong: The value is not a time in this format.
        """
        text = self.text(key)
        if not text:
            return None
        try:
            result = datetime.fromisoformat(text)
            return (result if result.tzinfo else result.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            raise DocumentWrong(f"{self.at(key)} must be a time like 2026-03-01T00:00:00Z.") from None

    def texts(self, key: str) -> tuple[str, ...]:
        """Read and remove a list of texts.

        Args:
            key: The key.

        Returns:
            The texts; empty if the key is missing or null.

        Raises:
            DocumentWrong: The value is no list, or an entry is blank or no text.
        """
        return tuple(self._text_of_entry(entry, key) for entry in self._typed(key, list, "a list", []))

    def paths(self, key: str) -> tuple[tuple[str, ...], ...]:
        """Read and remove a list of folder paths, each a list of names.

        Args:
            key: The key.

        Returns:
            The paths; empty if the key is missing or null.

        Raises:
            DocumentWrong: The value is no list, a path is no list or is empty, or a name is blank or no text.
        """
        result = []
        for entry in self._typed(key, list, "a list of paths", []):
            if not isinstance(entry, list) or not entry:
                raise DocumentWrong(
                    f"{self.at(key)} must contain only paths, each a list of folder names that is not empty."
                )
            result.append(tuple(self._text_of_entry(name, key) for name in entry))
        return tuple(result)

    def inner(self, key: str) -> Keys:
        """Read and remove an object inside this object.

        Args:
            key: The key.

        Returns:
            The object.

        Raises:
            DocumentWrong: The value is missing or not an object.
        """
        return Keys(self._rest.pop(key, None), self.at(key), self._warnings)

    def taken(self, key: str) -> Any:
        """Read and remove a value of any type.

        Args:
            key: The key.

        Returns:
            The value; None if the key is missing.
        """
        return self._rest.pop(key, None)

    def passed_over(self, *keys: str) -> None:
        """Remove keys that are known but not used, so that `end` does not report them.

        Args:
            *keys: The keys.
        """
        for key in keys:
            self._rest.pop(key, None)

    def end(self) -> None:
        """Append a warning for each key that was not read, because such a key may be misspelled."""
        for key in self._rest:
            self._warnings.append(f"{self.at(str(key)[:LONGEST])} is not supported and was ignored.")

    def _typed(self, key: str, kind: type, expected: str, default: Any) -> Any:
        value = self._rest.pop(key, None)
        if value is None:
            return default
        if not isinstance(value, kind):
            raise DocumentWrong(f"{self.at(key)} must be {expected}.")
        return value

    def _text_of_entry(self, entry: Any, key: str) -> str:
        if not isinstance(entry, str) or not entry.strip():
            raise DocumentWrong(f"{self.at(key)} must contain only texts that are not blank.")
        return entry
