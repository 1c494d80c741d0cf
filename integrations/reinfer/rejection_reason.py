"""Decide whether Re:infer's message about a rejected comment can be stored without storing mail content. No I/O.

The reason of a rejection is stored and shown to admins, so it must not contain mail content. A validation message may
quote the text that it rejects. So the message is stored only if no part of it is recognised as text of the comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from integrations.messages import Comment
from integrations.reinfer.remote_words import mentions_quota
from integrations.reinfer.responses import ContentRefused

_QUOTATION_MARKS = re.compile("""["'`‘’“”«»]""")
_RUN = 12
"""If a message and a comment share this many consecutive characters, the message counts as a quotation."""


def reason(error: ContentRefused, comment: Comment) -> str:
    """Return why a comment was rejected.

    Args:
        error: The rejection of a request that contained only this comment.
        comment: The comment.

    Returns:
        The HTTP status, with the server's message if it contains no mail content.
    """
    status = f"HTTP {error.status}"
    if not error.message or _quotes(error.message, comment):
        return status
    return f"{status}: {error.message}"


def is_about_quota(error: ContentRefused, comments: list[Comment]) -> bool:
    """Return whether a rejection was caused by the quota.

    Args:
        error: The rejection.
        comments: Comments of the request.

    Returns:
        True where the message mentions a quota and no comment does, so the message cannot quote the word from an email.
    """
    return mentions_quota(error.message) and not any(
        mentions_quota(text) for comment in comments for text in _strings(comment)
    )


def _quotes(message: str, comment: Comment) -> bool:
    message = message.lower()
    texts = [text.lower() for text in _strings(comment)]
    runs = {message[start : start + _RUN] for start in range(max(1, len(message) - _RUN + 1))}
    quoted = [piece.strip() for piece in _QUOTATION_MARKS.split(message)[1:-1] if len(piece.strip()) > 1]
    return any(
        (len(text) > 2 and text in message)
        or any(piece in text for piece in quoted)
        or any(run in text for run in runs)
        for text in texts
    )


def _strings(comment: Comment) -> Iterator[str]:
    """Yield every text that a sender or recipient can influence.

    White space in the texts of the email is folded, because it is also folded in the message of a `ContentRefused`.
    """
    message = comment.message
    yield from (comment.id, comment.thread_id)
    for text in (message.subject, message.body, message.signature):
        yield " ".join(text.split())
    for person in (message.sender, *message.to, *message.cc, *message.bcc):
        yield person
        yield from (part.strip(' "') for part in re.split(r"[<>]", person))
    yield from (value for value in comment.properties.values() if isinstance(value, str))
    yield from (attachment.name for attachment in comment.attachments)
