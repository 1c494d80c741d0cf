"""A stored comment with the history of its writes: the time at which each write was accepted, and what the write changed.

Re:infer bills a comment when it is created and when its text changes. It deletes annotations when anything in `messages`
changes. This module decides whether a write is billed, and whether it deletes annotations. Values are compared by meaning:
the same time in another zone is no change, and neither is an empty list of recipients instead of a missing list.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from simulators.reinfer.body_checks import read_instant

JsonObject = Mapping[str, Any]

_TEXTS = ("subject", "body", "signature")
_LISTS = ("to", "cc", "bcc")


class Outcome(StrEnum):
    """The result of a write. `PROPERTIES_ONLY`: something changed, but not the text."""

    NEW = "new"
    UNCHANGED = "unchanged"
    PROPERTIES_ONLY = "updated_properties_only"
    TEXT_CHANGED = "updated_text_changed"


@dataclass(frozen=True, slots=True)
class Write:
    """One accepted write of one comment, in its canonical form."""

    at: datetime
    outcome: Outcome
    messages_changed: bool
    """True if something in `messages` changed. Re:infer then deletes the annotations of the comment."""
    content: JsonObject = field(repr=False)

    @property
    def billed(self) -> bool:
        return self.outcome in (Outcome.NEW, Outcome.TEXT_CHANGED)


@dataclass(slots=True)
class StoredComment:
    id: str
    source_id: str
    history: list[Write] = field(default_factory=list)
    """Every accepted write, oldest first."""
    has_annotations: bool = False
    annotations_lost: int = 0
    created_at: datetime | None = None
    last_modified: datetime | None = None
    content: JsonObject = field(default_factory=dict, repr=False)
    """The current values of the keys that a client writes. After `Store.translate`, the values differ from the last write."""

    @property
    def properties(self) -> Mapping[str, Any]:
        properties: Mapping[str, Any] = self.content.get("user_properties", {})
        return properties

    @property
    def text_changes(self) -> int:
        return sum(write.outcome is Outcome.TEXT_CHANGED for write in self.history)

    @property
    def messages_changes(self) -> int:
        return sum(write.messages_changed for write in self.history)

    def accept(self, content: JsonObject, at: datetime) -> Write:
        """Overwrite the comment with this canonical content; returns the write with its result."""
        outcome, messages_changed = self._difference(content)
        write = Write(at, outcome, messages_changed, self.content if outcome is Outcome.UNCHANGED else content)
        if write.messages_changed and self.has_annotations:
            self.has_annotations = False
            self.annotations_lost += 1
        if write.outcome is not Outcome.UNCHANGED:
            self.content = content
            self.last_modified = at
        self.created_at = self.created_at or at
        self.history.append(write)
        return write

    def as_answer(self, *, include_markup: bool) -> dict[str, Any]:
        """The comment as a GET returns it: the keys that a client writes, and the keys that Re:infer adds."""
        content = dict(self.content)
        if not include_markup:
            content["messages"] = [_without_markup(message) for message in content["messages"]]
        return {
            **content,
            "uid": f"{self.source_id}.{self.id}",
            "source_id": self.source_id,
            "created_at": write_instant(self.created_at),
            "last_modified": write_instant(self.last_modified),
            "context": _digest(self.content),
            "has_annotations": self.has_annotations,
        }

    def _difference(self, content: JsonObject) -> tuple[Outcome, bool]:
        if not self.history:
            return Outcome.NEW, False
        if content == self.content:
            return Outcome.UNCHANGED, False
        messages_changed = _comparable(content) != _comparable(self.content)
        if _texts(content) != _texts(self.content):
            return Outcome.TEXT_CHANGED, messages_changed
        if messages_changed or _others(content) != _others(self.content):
            return Outcome.PROPERTIES_ONLY, messages_changed
        return Outcome.UNCHANGED, False


def canonical(comment: JsonObject) -> dict[str, Any]:
    """A valid comment with its times in UTC, and with defaults for the keys that every response has."""
    messages = [dict(message) for message in comment["messages"]]
    for message in messages:
        if "sent_at" in message:
            message["sent_at"] = write_instant(read_instant(message["sent_at"]))
    return {
        **comment,
        "timestamp": write_instant(read_instant(comment["timestamp"])),
        "messages": messages,
        "user_properties": dict(comment.get("user_properties", {})),
        "attachments": [{"inline": False, **attachment} for attachment in comment.get("attachments", [])],
    }


def write_instant(moment: datetime | None) -> str | None:
    """The time as Re:infer formats it: ISO 8601 with microseconds and `+00:00`. The argument is in UTC or None."""
    return moment.isoformat(timespec="microseconds") if moment else None


def _comparable(content: JsonObject) -> list[dict[str, Any]]:
    empty: list[str] = []
    return [{**message, **{key: message.get(key, empty) for key in _LISTS}} for message in content["messages"]]


def _texts(content: JsonObject) -> list[list[Any]]:
    return [[message.get(part, {"text": ""}) for part in _TEXTS] for message in content["messages"]]


def _others(content: JsonObject) -> dict[str, Any]:
    return {key: value for key, value in content.items() if key != "messages"}


def _without_markup(message: JsonObject) -> dict[str, Any]:
    return {
        key: {inner: text for inner, text in value.items() if inner != "text_markup"} if key in _TEXTS else value
        for key, value in message.items()
    }


def _digest(content: JsonObject) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
