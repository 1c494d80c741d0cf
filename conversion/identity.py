"""Comment ids and thread ids. An email has the same comment id in every folder and mailbox."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime

from integrations.messages import CommentId

MAX_BYTES = 512
"""Maximum length in bytes of a Message-ID that is used as hex: its hex has at most 1,024 characters, the limit for a
comment id."""


def comment_id(message_id: str) -> CommentId:
    """Return the comment id of a Message-ID.

    Args:
        message_id: The Message-ID, unfolded and trimmed, with its angle brackets.

    Returns:
        Lower-case hex of the UTF-8 bytes of the Message-ID. If there are more than `MAX_BYTES` bytes, their SHA-256 in hex.
    """
    raw = message_id.encode("utf-8", "surrogatepass")
    return CommentId(raw.hex() if len(raw) <= MAX_BYTES else hashlib.sha256(raw).hexdigest())


def listed_comment_id(message_id: str) -> CommentId | None:
    """Return the comment id of a Message-ID from the list of items that a server returned.

    Args:
        message_id: The Message-ID as listed; may be empty.

    Returns:
        The comment id, or None if there is no Message-ID.
    """
    name = message_id_name(message_id)
    return comment_id(name) if name else None


def message_id_name(message_id: str) -> str:
    """Unfold and trim a Message-ID.

    Args:
        message_id: The value of the header.

    Returns:
        The Message-ID; empty if its brackets are empty, because all emails with empty brackets would get the same
        comment id.
    """
    name = " ".join(message_id.split())
    return name if name.strip("<> ") else ""


def made_up_comment_id(
    sent: datetime | None, sender: Sequence[str], to: Sequence[str], cc: Sequence[str], subject: str
) -> CommentId:
    """Return a comment id for an email without a Message-ID.

    The id does not depend on the body or the bytes of the email, because Exchange can render these differently later.

    Args:
        sent: Time of the Date header, UTC.
        sender: The correspondents of From.
        to: The correspondents of To.
        cc: The correspondents of Cc.
        subject: The subject.

    Returns:
        A SHA-256 in hex.
    """
    facts = [sent.isoformat() if sent else None, list(sender), list(to), list(cc), subject]
    return CommentId(hashlib.sha256(json.dumps(facts, ensure_ascii=True).encode()).hexdigest())


def thread_id(references: Sequence[str], in_reply_to: Sequence[str], own: CommentId) -> str:
    """Return the thread id of a comment.

    Args:
        references: The ids of the References header.
        in_reply_to: The ids of the In-Reply-To header.
        own: The comment id of the email itself.

    Returns:
        The comment id of the first id in References, else of the first id in In-Reply-To, else `own`.
    """
    first = next(iter([*references, *in_reply_to]), None)
    return comment_id(first) if first else own
