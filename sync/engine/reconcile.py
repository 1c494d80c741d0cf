"""Reconcile a converted comment with its ledger entry: create, update, adopt, defer, hold back or do nothing. Pure.

A comment is created once, and its text never changes afterwards. An update that might cost an AI unit is held back.
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
    """The bucket does not have the comment: push it completely. Costs one AI unit."""


@dataclass(frozen=True, slots=True)
class Update:
    """Push this comment: new properties with the content that the bucket has. Costs no AI unit."""

    comment: Comment
    content_digest: str


@dataclass(frozen=True, slots=True)
class Adopt:
    """The bucket has the comment and needs no update: only the ledger has to record it."""

    content_digest: str
    properties_digest: str
    ours: bool
    """The stored comment is the one that this product intended to push, so this product caused its AI unit."""


class Plain(Enum):
    """Decisions without further data."""

    NOTHING = "the bucket has it with the right properties"
    ASK = "request the comment from the bucket, then decide again"
    HOLD_BACK = "an update could be billed as a changed text, so it is not pushed"
    DEFER = "another sync is pushing it now: mark the entry as dirty, and push the properties later"


Decision = Create | Update | Adopt | Plain


@dataclass(frozen=True, slots=True)
class BucketAnswer:
    """The response of the bucket to a request for a comment: the comment, or None if the bucket does not have it."""

    stored: Comment | None


def reconcile(
    comment: Comment, entry: LedgerRecord | None, *, trusted: bool, bucket_answer: BucketAnswer | None
) -> Decision:
    """Decide what to do with a comment.

    Args:
        comment: The comment as converted now.
        entry: Its ledger entry, if there is one.
        trusted: The ledger contains every comment of the bucket, so a comment without an entry is not in the bucket.
        bucket_answer: The response of the bucket; None if the bucket was not asked.

    Returns:
        The decision; `Plain.ASK` when the bucket has to be asked first.
    """
    if entry is None:
        if trusted:
            return Create()
        return Plain.ASK if bucket_answer is None else _found_or_not(bucket_answer.stored)
    if entry.in_flight_elsewhere:
        return Plain.DEFER
    if not entry.confirmed:
        return Plain.ASK if bucket_answer is None else _settle(comment, entry, bucket_answer.stored)
    if properties_digest(comment) == entry.properties_digest and not entry.dirty:
        return Plain.NOTHING
    digest = content_digest(comment)
    if digest == entry.content_digest:
        return Update(comment, digest)
    return Plain.ASK if bucket_answer is None else _keep_text(comment, entry, bucket_answer.stored)


def content_digest(comment: Comment) -> str:
    """Return the digest of everything that must never change: message, timestamp, thread and attachments.

    Args:
        comment: The comment.

    Returns:
        A SHA-256 digest in hex.
    """
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
    """Return the digest of the user properties.

    Args:
        comment: The comment.

    Returns:
        A SHA-256 digest in hex.
    """
    return _digest(sorted(comment.properties.items()))


def identity_digest(comment: Comment) -> str:
    """Return the digest of sender, time of sending and subject.

    Emails with different digests are different emails, even if they have the same Message-ID.

    Args:
        comment: The comment.

    Returns:
        A SHA-256 digest in hex.
    """
    message = comment.message
    return _digest([message.sender, message.subject, message.sent_at.timestamp() if message.sent_at else None])


def _found_or_not(stored: Comment | None) -> Decision:
    if stored is None:
        return Create()
    return Adopt(content_digest(stored), properties_digest(stored), ours=False)


def _settle(comment: Comment, entry: LedgerRecord, stored: Comment | None) -> Decision:
    """Decide on an entry that is intended and not confirmed: its push may or may not have arrived."""
    if stored is None:
        return Create()
    stored_digest = content_digest(stored)
    ours = stored_digest in (entry.content_digest, content_digest(comment)) and not stored.translated
    same_properties = properties_digest(stored) == properties_digest(comment)
    if same_properties or not ours:
        return Adopt(stored_digest, properties_digest(stored), ours=ours)
    return Update(replace(stored, properties=comment.properties), stored_digest)


def _keep_text(comment: Comment, entry: LedgerRecord, stored: Comment | None) -> Decision:
    """Decide on a comment whose content differs from the content in the ledger.

    If the bucket certainly has the content in the ledger, the new properties are pushed with that content. Otherwise the
    update is held back.
    """
    if stored is None or stored.translated or content_digest(stored) != entry.content_digest:
        return Plain.HOLD_BACK
    return Update(replace(stored, properties=comment.properties), entry.content_digest)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()
