"""What Re:infer takes: the body of `sync` and of creating a source, with every limit that its schema publishes.

It is strict on purpose. Where the published schema leaves room (is `timestamp` required? may a string property be
blank?) the narrower reading holds here, so that a client that passes would pass either way.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

from simulators.reinfer.shapes import Check, Misshapen, array, flag, instant, one_of, record, text, whole_number

MOST_COMMENTS = 16384
MOST_TEXT = 65536
COMMENT_ID = r"[\w\x21-\x2e\x3a-\x40\x5b-\x60\x7b-\x7e]{1,1024}"

_MOST_MARKUP_NODES = 4096
_LARGEST = sys.float_info.max
_PROPERTY_NAME = re.compile(r"\w(?:[^>`]{0,62}[^>` ])?")


def check_sync(body: Any) -> None:
    """Pass a whole `{"comments": […]}`, or raise `Misshapen` for the first comment that breaks a rule."""
    _SYNC(body, "body")


def check_new_source(body: Any) -> None:
    """Pass a `{"source": {…}}` that creates a source, or raise `Misshapen`."""
    _NEW_SOURCE(body, "body")


def _markup(value: Any, place: str) -> None:
    if not isinstance(value, list | dict):
        raise Misshapen(place, "must be an array or an object")
    if _nodes(value) > _MOST_MARKUP_NODES:
        raise Misshapen(place, f"must have at most {_MOST_MARKUP_NODES} nodes")


def _nodes(value: Any) -> int:
    count, left = 0, [value]
    while left:
        node = left.pop()
        if isinstance(node, dict):
            count += 1
            left.extend(node.values())
        elif isinstance(node, list):
            left.extend(node)
    return count


def _user_properties(value: Any, place: str) -> None:
    """Keys are the user's words, so a message tells the position of a bad one and not its name."""
    if not isinstance(value, Mapping):
        raise Misshapen(place, "must be an object")
    for position, (key, element) in enumerate(value.items(), start=1):
        kind, colon, name = key.partition(":")
        spot = f"{place}, key {position}"
        if not colon or kind not in ("string", "number"):
            raise Misshapen(spot, "must begin with string: or number:")
        if not _PROPERTY_NAME.fullmatch(name):
            raise Misshapen(spot, "its name breaks the rule (1 to 64 characters, word first, no > or `, no space last)")
        _property_value(kind, element, spot)


def _property_value(kind: str, value: Any, place: str) -> None:
    if kind == "number":
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
            raise Misshapen(place, "must hold a finite number")
        return
    _PROPERTY_TEXT(value, place)
    if not value.strip():
        raise Misshapen(place, "must not be blank")


_INSTANT = instant(1400, 9999)
_ID = text(1, 1024, COMMENT_ID, rule="must be word characters and ASCII punctuation without /")
_PROPERTY_TEXT = text()
_ADDRESS = text(1, 512)
_ADDRESSES = array(_ADDRESS, most=2048)
_SUBJECT = record({"text": text(0, MOST_TEXT)}, {"translated_from": text(0, MOST_TEXT)})
_CONTENT = record({"text": text(0, MOST_TEXT)}, {"translated_from": text(0, MOST_TEXT), "text_markup": _markup})
_MESSAGE = record(
    {"body": _CONTENT},
    {
        "subject": _SUBJECT,
        "signature": _CONTENT,
        "from": _ADDRESS,
        "to": _ADDRESSES,
        "cc": _ADDRESSES,
        "bcc": _ADDRESSES,
        "sent_at": _INSTANT,
        "language": text(1, 8),
    },
)
_ATTACHMENT = record(
    {"name": text(0, 256), "size": whole_number(), "content_type": text(0, 256)},
    {
        "content_hash": text(64, 64, r"[0-9a-f]*", rule="must be 64 lower-case hexadecimal digits"),
        "inline": flag,
        "attachment_reference": text(0, 128, r"[A-Za-z0-9_-]*"),
    },
)
_COMMENT: Check = record(
    {"id": _ID, "timestamp": _INSTANT, "messages": array(_MESSAGE, most=1)},
    {
        "thread_id": _ID,
        "user_properties": _user_properties,
        "text_format": one_of("plain", "markdown"),
        "attachments": array(_ATTACHMENT, most=128),
    },
)


def _comment(value: Any, place: str) -> None:
    _COMMENT(value, place.removeprefix("body."))


_SYNC = record({"comments": array(_comment, most=MOST_COMMENTS)}, {})
_NEW_SOURCE = record(
    {
        "source": record(
            {},
            {
                "title": text(0, 128),
                "description": text(0, 16384),
                "language": one_of("en", "de", "xlm"),
                "should_translate": flag,
                "sensitive_properties": array(text(1, 71), most=4096),
                "bucket_id": text(16, 16, r"[0-9a-f]*", rule="must be 16 lower-case hexadecimal digits"),
                "email_transform_tag": text(1, 256),
            },
        )
    },
    {},
)
