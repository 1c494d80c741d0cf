"""Convert comments to the JSON of Re:infer, and stored comments from that JSON. No I/O.

Only writable keys are written. From a stored comment, `created_at` and `translated_from` are read as well. Other keys
that Re:infer adds (uid, dates, annotations) are ignored. The format is `CommentNew` in the vendor's OpenAPI
specification, which rejects any other key.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from integrations.messages import Attachment, Comment, CommentId, Message, Properties

JsonObject = dict[str, Any]


def comment_json(comment: Comment) -> bytes:
    """Return the comment as JSON for the `comments` of `POST …/sync`.

    Args:
        comment: The comment.

    Returns:
        One JSON object in UTF-8.

    Raises:
        ValueError: A time of the comment has no time zone.
    """
    text = json.dumps(comment_object(comment), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # A lone surrogate cannot be encoded in UTF-8. Python's escape for it is also valid JSON.
    return text.encode("utf-8", "backslashreplace")


def comment_object(comment: Comment) -> JsonObject:
    """Return the comment as an object in the format of Re:infer, without optional keys whose values are blank.

    Args:
        comment: The comment.

    Returns:
        Object that can be encoded as JSON.

    Raises:
        ValueError: A time of the comment has no time zone.
    """
    return {
        "id": comment.id,
        "timestamp": _format_time(comment.timestamp),
        **_unless_blank(thread_id=comment.thread_id),
        "messages": [_message_object(comment.message)],
        **_unless_blank(
            user_properties={key: value for key, value in comment.properties.items() if _can_be_sent(value)},
            attachments=[_attachment_object(attachment) for attachment in comment.attachments],
        ),
    }


def read_comment(stored: Mapping[str, Any]) -> Comment:
    """Return a stored comment. Only the id and a time are required. Unknown keys are ignored.

    Args:
        stored: The comment as a JSON object from Re:infer.

    Returns:
        The comment.

    Raises:
        ValueError: The object has no id or no time, so it is not a comment.
    """
    message = _first(stored.get("messages"))
    return Comment(
        id=CommentId(_required_text(stored, "id")),
        timestamp=_required_time(stored),
        thread_id=_text(stored.get("thread_id")),
        message=_read_message(message),
        properties=_read_properties(stored.get("user_properties")),
        attachments=tuple(_read_attachment(part) for part in _objects(stored.get("attachments"))),
        translated=any(_object(message.get(part)).get("translated_from") for part in ("body", "subject", "signature")),
    )


# ---- writing ------------------------------------------------------------------------------------------------------


def _message_object(message: Message) -> JsonObject:
    return {
        "body": {"text": message.body},
        **{part: {"text": text} for part, text in _unless_blank(subject=message.subject).items()},
        **{part: {"text": text} for part, text in _unless_blank(signature=message.signature).items()},
        **_unless_blank(
            **{"from": message.sender},
            to=[person for person in message.to if person],
            cc=[person for person in message.cc if person],
            bcc=[person for person in message.bcc if person],
            sent_at=_format_time(message.sent_at) if message.sent_at else "",
        ),
    }


def _attachment_object(attachment: Attachment) -> JsonObject:
    return {
        "name": attachment.name,
        "size": attachment.size,
        "content_type": attachment.content_type,
        **_unless_blank(inline=attachment.inline),
    }


def _unless_blank(**values: Any) -> JsonObject:
    return {key: value for key, value in values.items() if value}


def _can_be_sent(value: str | int | float) -> bool:
    """Return whether the value is a text that is not blank, or a number that JSON can express."""
    return bool(value.strip()) if isinstance(value, str) else math.isfinite(value)


def _format_time(time: datetime) -> str:
    if time.tzinfo is None:
        raise ValueError("a time without a time zone cannot be sent")
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


# ---- reading ------------------------------------------------------------------------------------------------------


def _read_message(message: Mapping[str, Any]) -> Message:
    return Message(
        subject=_text(_object(message.get("subject")).get("text")),
        body=_text(_object(message.get("body")).get("text")),
        signature=_text(_object(message.get("signature")).get("text")),
        sender=_text(message.get("from")),
        to=_people(message.get("to")),
        cc=_people(message.get("cc")),
        bcc=_people(message.get("bcc")),
        sent_at=_read_time(message.get("sent_at")),
    )


def _read_attachment(part: Mapping[str, Any]) -> Attachment:
    size = part.get("size")
    return Attachment(
        name=_text(part.get("name")),
        size=int(size) if isinstance(size, int | float) and math.isfinite(size) else 0,
        content_type=_text(part.get("content_type")),
        inline=part.get("inline") is True,
    )


def _read_properties(stored: Any) -> Properties:
    # A number that was sent as 7 may be returned as 7.0, which is not a change.
    return {
        key: int(value) if isinstance(value, float) and value.is_integer() else value
        for key, value in _object(stored).items()
        if _is_property(key, value)
    }


def _is_property(key: str, value: Any) -> bool:
    if isinstance(value, str):
        return key.startswith("string:")
    return key.startswith("number:") and isinstance(value, int | float) and not isinstance(value, bool)


def _required_time(stored: Mapping[str, Any]) -> datetime:
    time = _read_time(stored.get("timestamp")) or _read_time(stored.get("created_at"))
    if time is None:
        raise ValueError("a stored comment has no timestamp")
    return time


def _required_text(stored: Mapping[str, Any], key: str) -> str:
    text = _text(stored.get(key))
    if not text:
        raise ValueError(f"a stored comment has no {key}")
    return text


def _read_time(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _people(value: Any) -> tuple[str, ...]:
    return tuple(person for person in value if isinstance(person, str)) if isinstance(value, list) else ()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> Sequence[Mapping[str, Any]]:
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def _first(value: Any) -> Mapping[str, Any]:
    return next(iter(_objects(value)), {})
