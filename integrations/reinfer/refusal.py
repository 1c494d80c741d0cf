"""What may be kept of Re:infer's words about a comment that it refused: never what the comment itself says.

A reason is shown to admins and stored, and mail content must be neither. A validation message may quote what it
complains about, so it is kept only if nothing in it can come from the comment. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from integrations.messages import Comment
from integrations.reinfer.answers import ContentRefused
from integrations.reinfer.remote_words import mentions_quota

_QUOTATION_MARKS = re.compile("""["'`‘’“”«»]""")
_RUN = 12
"""Letters in a row that a message and a mail do not have in common by chance."""


def reason(refused: ContentRefused, comment: Comment) -> str:
    """Why this comment was refused: the status, and the server's message if it is surely free of content."""
    status = f"HTTP {refused.status}"
    if not refused.message or _quotes(refused.message, comment):
        return status
    return f"{status}: {refused.message}"


def is_about_quota(refused: ContentRefused, comments: list[Comment]) -> bool:
    """Whether the quota is the reason, and not a mail that speaks of one and is quoted."""
    return mentions_quota(refused.message) and not any(
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
    """Everything a correspondent had a hand in, white space folded as in a message."""
    message = comment.message
    yield from (comment.id, comment.thread_id)
    for text in (message.subject, message.body, message.signature):
        yield " ".join(text.split())
    for person in (message.sender, *message.to, *message.cc, *message.bcc):
        yield person
        yield from (part.strip(' "') for part in re.split(r"[<>]", person))
    yield from (value for value in comment.properties.values() if isinstance(value, str))
    yield from (attachment.name for attachment in comment.attachments)
