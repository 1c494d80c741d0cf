"""A new comment against what the ledger knows: create it, update its properties, or leave it alone.

The rule behind all of it: a comment is created once, its text never changes afterwards, and what may cost an AI unit
without need is not done. Pure.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from enum import Enum

from integrations.messages import Comment
from sync.engine.records import LedgerRecord


@dataclass(frozen=True, slots=True)
class Create:
    """The bucket does not hold it: send it whole. One AI unit."""


@dataclass(frozen=True, slots=True)
class Update:
    """Send these properties with the content as it was first sent. Free."""

    comment: Comment
    content_digest: str


@dataclass(frozen=True, slots=True)
class Adopt:
    """The bucket holds it and that is right: only the ledger has to learn it."""

    content_digest: str
    properties_digest: str
    ours: bool
    """It is what we intended to send, so the AI unit was ours."""


class Plain(Enum):
    """Decisions that carry nothing."""

    NOTHING = "the bucket holds it as it is"
    ASK = "ask the bucket what it holds, then decide again"
    HOLD_BACK = "an update could be billed as a changed text, so it is not sent"
    DEFER = "another sync is pushing it now: mark it, and send our properties later"


Decision = Create | Update | Adopt | Plain


@dataclass(frozen=True, slots=True)
class BucketAnswer:
    """What the bucket answered when it was asked for a comment: the comment, or that it has none."""

    stored: Comment | None


def reconcile(comment: Comment, entry: LedgerRecord | None, *, trusted: bool, asked: BucketAnswer | None) -> Decision:
    """What to do with `comment`, given the ledger's entry of its id and, where it was asked, what the bucket holds.

    `trusted`: the ledger knows all that the bucket holds, so what it does not know is not there.
    """
    if entry is None:
        if trusted:
            return Create()
        return Plain.ASK if asked is None else _found_or_not(asked.stored)
    if entry.in_flight_elsewhere:
        return Plain.DEFER
    if not entry.confirmed:
        return Plain.ASK if asked is None else _settle(comment, entry, asked.stored)
    if properties_digest(comment) == entry.properties_digest and not entry.dirty:
        return Plain.NOTHING
    digest = content_digest(comment)
    if digest == entry.content_digest:
        return Update(comment, digest)
    return Plain.ASK if asked is None else _keep_text(comment, entry, asked.stored)


def content_digest(comment: Comment) -> str:
    """Of all that must stay as first sent: messages, timestamp, thread and attachments."""
    message = comment.message
    return _digest(
        [
            comment.timestamp.timestamp(),
            comment.thread_id,
            message.subject,
            message.body,
            message.signature,
            message.sender,
            message.to,
            message.cc,
            message.bcc,
            message.sent_at.timestamp() if message.sent_at else None,
            [[part.name, part.size, part.content_type, part.inline] for part in comment.attachments],
        ]
    )


def properties_digest(comment: Comment) -> str:
    return _digest(sorted(comment.properties.items()))


def identity_digest(comment: Comment) -> str:
    """Of sender, date and subject: two emails that differ in it are two emails, whatever their Message-ID says."""
    message = comment.message
    return _digest([message.sender, message.subject, message.sent_at.timestamp() if message.sent_at else None])


def _found_or_not(stored: Comment | None) -> Decision:
    if stored is None:
        return Create()
    return Adopt(content_digest(stored), properties_digest(stored), ours=False)


def _settle(comment: Comment, entry: LedgerRecord, stored: Comment | None) -> Decision:
    """An entry that was found intended: some push of it may or may not have arrived."""
    if stored is None:
        return Create()
    held = content_digest(stored)
    ours = held in (entry.content_digest, content_digest(comment)) and not stored.translated
    same_properties = properties_digest(stored) == properties_digest(comment)
    if same_properties or not ours:
        return Adopt(held, properties_digest(stored), ours=ours)
    return Update(replace(stored, properties=comment.properties), held)


def _keep_text(comment: Comment, entry: LedgerRecord, stored: Comment | None) -> Decision:
    """The text is another now: send the properties with the text that the bucket holds, if that is surely ours."""
    if stored is None or stored.translated or content_digest(stored) != entry.content_digest:
        return Plain.HOLD_BACK
    return Update(replace(stored, properties=comment.properties), entry.content_digest)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()
