"""Which email is which, wherever a copy of it lies: comment ids and thread ids."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime

from integrations.messages import CommentId

LONGEST = 512
"""Bytes of a Message-ID whose hex still fits the 1,024 characters of a comment id."""


def comment_id(message_id: str) -> CommentId:
    """Lower-case hex of the UTF-8 of the Message-ID, unfolded, trimmed, angle brackets kept; SHA-256 of an over-long one."""
    raw = message_id.encode("utf-8", "surrogatepass")
    return CommentId(raw.hex() if len(raw) <= LONGEST else hashlib.sha256(raw).hexdigest())


def listed_comment_id(message_id: str) -> CommentId | None:
    """The comment id by the Message-ID as a server lists it; None when it lists none."""
    name = message_id_name(message_id)
    return comment_id(name) if name else None


def message_id_name(message_id: str) -> str:
    """A Message-ID unfolded and trimmed; nothing if its brackets are empty, or all such emails would be one."""
    name = " ".join(message_id.split())
    return name if name.strip("<> ") else ""


def made_up_comment_id(
    sent: datetime | None, sender: Sequence[str], to: Sequence[str], cc: Sequence[str], subject: str
) -> CommentId:
    """For an email without a Message-ID. Never of its body or bytes, which Exchange may render anew."""
    facts = [sent.isoformat() if sent else None, list(sender), list(to), list(cc), subject]
    return CommentId(hashlib.sha256(json.dumps(facts, ensure_ascii=True).encode()).hexdigest())


def thread_id(references: Sequence[str], in_reply_to: Sequence[str], own: CommentId) -> str:
    """Hex of the first id in References, else in In-Reply-To, else the comment's own id."""
    first = next(iter([*references, *in_reply_to]), None)
    return comment_id(first) if first else own
