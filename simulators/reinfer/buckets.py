"""Buckets: raw emails as they were put, and the sync states of the program that puts the emails.

The key of an email is its id (the Message-ID as written in the header) and its mailbox. Putting an email with the same key
overwrites the stored email.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simulators.reinfer.body_checks import read_instant
from simulators.reinfer.comments import JsonObject, write_instant
from simulators.reinfer.names import id_of

METADATA = (
    "sensitivity", "size", "categories", "importance", "has_attachments",
    "conversation_id", "conversation_topic", "is_read", "folder", "received_at",
)  # fmt: skip
"""The keys of the metadata in a response. A value that the client did not send is null."""


@dataclass(slots=True)
class StoredEmail:
    content: JsonObject = field(repr=False)
    """The JSON that the client put."""
    created_at: datetime
    updated_at: datetime

    @property
    def mailbox(self) -> str:
        return str(self.content["mailbox"])

    @property
    def timestamp(self) -> datetime:
        return read_instant(self.content["timestamp"])

    def as_answer(self) -> dict[str, Any]:
        metadata = self.content.get("metadata")
        return {
            **self.content,
            "timestamp": write_instant(self.timestamp),
            "metadata": None if metadata is None else {key: metadata.get(key) for key in METADATA},
            "attachments": [{"inline": False, **attachment} for attachment in self.content.get("attachments", [])],
            "created_at": write_instant(self.created_at),
            "updated_at": write_instant(self.updated_at),
        }


@dataclass(slots=True)
class Bucket:
    project: str
    name: str
    created_at: datetime
    title: str
    updated_at: datetime
    last_updated_by: JsonObject | None = None
    emails: dict[tuple[str, str], StoredEmail] = field(default_factory=dict, repr=False)
    """By id and mailbox."""
    sync_states: dict[str, JsonObject] = field(default_factory=dict)
    """By key."""

    @property
    def id(self) -> str:
        return id_of("bucket", self.project, self.name)

    def as_answer(self) -> dict[str, Any]:
        by = {} if self.last_updated_by is None else {"last_updated_by": self.last_updated_by}
        return {
            "id": self.id,
            "owner": self.project,
            "name": self.name,
            "title": self.title,
            "bucket_type": "emails",
            "created_at": write_instant(self.created_at),
            "updated_at": write_instant(self.updated_at),
            **by,
        }

    def put(self, email: JsonObject, at: datetime) -> StoredEmail:
        key = (email["id"], email["mailbox"])
        before = self.emails.get(key)
        self.emails[key] = StoredEmail(email, before.created_at if before else at, at)
        return self.emails[key]

    def in_time(self) -> list[StoredEmail]:
        """The emails by timestamp, oldest first."""
        return sorted(
            self.emails.values(), key=lambda email: (email.timestamp, str(email.content["id"]), email.mailbox)
        )

    def delete(self, ids: Iterable[str]) -> None:
        """Delete the emails with these ids, of all mailboxes. Unknown ids are no error."""
        wanted = set(ids)
        self.emails = {key: email for key, email in self.emails.items() if email.content["id"] not in wanted}
