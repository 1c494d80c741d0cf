"""Comment ids and thread ids: which email is which, wherever a copy of it lies."""

from __future__ import annotations

import hashlib

from integrations.messages import CommentId

LONGEST = 512
"""Bytes of a Message-ID whose hex still fits the 1,024 characters of a comment id."""


def listed_comment_id(message_id: str) -> CommentId | None:
    """The comment id by the Message-ID as a server lists it; None when it lists none."""
    name = "".join(message_id.split())
    return _hex(name) if name else None


def _hex(name: str) -> CommentId:
    raw = name.encode("utf-8", "surrogateescape")
    return CommentId(raw.hex() if len(raw) <= LONGEST else hashlib.sha256(raw).hexdigest())
