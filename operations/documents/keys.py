"""Taking values out of a document, key by key: what is wrong is said with its place, what is left over is a warning. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from operations.documents.desired import DocumentWrong

LONGEST = 60
"""Characters of a key that are quoted."""


class Keys:
    """One object of a document. `place` is where it stands, for people: "mailboxes[3]"."""

    def __init__(self, value: Any, place: str, warnings: list[str]) -> None:
        if not isinstance(value, Mapping):
            raise DocumentWrong(f"{place or 'The document'} must be an object.")
        self._rest = dict(value)
        self._place = place
        self._warnings = warnings

    def at(self, key: str) -> str:
        return f"{self._place}.{key}" if self._place else key

    def has(self, key: str) -> bool:
        return self._rest.get(key) is not None

    def text(self, key: str, otherwise: str = "") -> str:
        value: str = self._typed(key, str, "a text", otherwise)
        return value

    def needed(self, key: str) -> str:
        value = self.text(key)
        if not value.strip():
            raise DocumentWrong(f"{self.at(key)} is missing.")
        return value

    def flag(self, key: str, otherwise: bool | None) -> bool | None:
        value: bool | None = self._typed(key, bool, "true or false", otherwise)
        return value

    def number(self, key: str) -> int | None:
        value: int | None = self._typed(key, int, "a whole number", None)
        if isinstance(value, bool):
            raise DocumentWrong(f"{self.at(key)} must be a whole number.")
        return value

    def moment(self, key: str) -> datetime | None:
        text = self.text(key)
        if not text:
            return None
        try:
            found = datetime.fromisoformat(text)
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            raise DocumentWrong(f"{self.at(key)} must be a time like 2026-03-01T00:00:00Z.") from None

    def texts(self, key: str) -> tuple[str, ...]:
        return tuple(self._text_in(entry, key) for entry in self._typed(key, list, "a list", []))

    def paths(self, key: str) -> tuple[tuple[str, ...], ...]:
        """A list of folder paths, each a list of names."""
        found = []
        for entry in self._typed(key, list, "a list of paths", []):
            if not isinstance(entry, list) or not entry:
                raise DocumentWrong(f"{self.at(key)} must hold paths, each a list of folder names.")
            found.append(tuple(self._text_in(name, key) for name in entry))
        return tuple(found)

    def inner(self, key: str) -> Keys:
        return Keys(self._rest.pop(key, None), self.at(key), self._warnings)

    def taken(self, key: str) -> Any:
        return self._rest.pop(key, None)

    def passed_over(self, *keys: str) -> None:
        """Known, and of no use here."""
        for key in keys:
            self._rest.pop(key, None)

    def end(self) -> None:
        """Whatever nobody asked for is a warning: it may be a typing error."""
        for key in self._rest:
            self._warnings.append(f"{self.at(str(key)[:LONGEST])} is not known here and was passed over.")

    def _typed(self, key: str, kind: type, what: str, otherwise: Any) -> Any:
        value = self._rest.pop(key, None)
        if value is None:
            return otherwise
        if not isinstance(value, kind):
            raise DocumentWrong(f"{self.at(key)} must be {what}.")
        return value

    def _text_in(self, entry: Any, key: str) -> str:
        if not isinstance(entry, str) or not entry.strip():
            raise DocumentWrong(f"{self.at(key)} must hold texts.")
        return entry
