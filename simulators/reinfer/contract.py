"""The rules for comments in request bodies, with the limits of Re:infer's published schema. For other bodies see `contracts`.

Where the published schema is ambiguous (is `timestamp` required? may a string property be blank?), this module applies the
stricter reading. So a client that passes is correct under both readings.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

from simulators.reinfer.body_checks import Check, InvalidBody, array, flag, instant, one_of, record, text, whole_number

MAX_COMMENTS = 16384
MAX_TEXT = 65536
COMMENT_ID = r"[\w\x21-\x2e\x3a-\x40\x5b-\x60\x7b-\x7e]{1,1024}"

_MAX_MARKUP_NODES = 4096
_MAX_MARKUP_CHILDREN = 10944
_LARGEST = sys.float_info.max
_PROPERTY_NAME = re.compile(r"\w(?:[^>`]{0,62}[^>` ])?")


def check_sync(body: Any, place: str = "body") -> None:
    """Check a body `{"comments": […]}`. Raises `InvalidBody` for the first value that breaks a rule."""
    _SYNC(body, place)


def check_put(body: Any, place: str = "body") -> None:
    """Check the body of a PUT like `check_sync`.

    Each comment may also have the `context` of the stored comment that it overwrites.
    """
    _PUT(body, place)


def _markup(value: Any, place: str) -> None:
    if not isinstance(value, list | dict):
        raise InvalidBody(place, "must be an array or an object")
    nodes, pending = 0, [value]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            nodes += 1
            _HREF(node.get("href", ""), place)
            pending.extend(node.values())
        elif isinstance(node, list):
            if len(node) > _MAX_MARKUP_CHILDREN:
                raise InvalidBody(place, f"must have at most {_MAX_MARKUP_CHILDREN} children in a node")
            pending.extend(node)
    if nodes > _MAX_MARKUP_NODES:
        raise InvalidBody(place, f"must have at most {_MAX_MARKUP_NODES} nodes")


def _user_properties(value: Any, place: str) -> None:
    """Check user properties. Errors name the position of an invalid key, not the key, which can be confidential."""
    if not isinstance(value, Mapping):
        raise InvalidBody(place, "must be an object")
    for position, (key, element) in enumerate(value.items(), start=1):
        kind, colon, name = key.partition(":")
        spot = f"{place}, key {position}"
        if not colon or kind not in ("string", "number"):
            raise InvalidBody(spot, "must begin with string: or number:")
        property_name(name, spot)
        _property_value(kind, element, spot)


def property_name(name: str, place: str) -> None:
    """Check the name of a user property, without its prefix. The error message does not contain the name."""
    if not _PROPERTY_NAME.fullmatch(name):
        raise InvalidBody(
            place, "invalid name: 1 to 64 characters, first a word character, no > or `, last not a space"
        )


def _property_value(kind: str, value: Any, place: str) -> None:
    if kind == "number":
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
            raise InvalidBody(place, "must be a finite number")
        return
    _PROPERTY_TEXT(value, place)
    if not value.strip():
        raise InvalidBody(place, "must not be blank")


INSTANT = instant(1400, 9999)
ID = text(1, 1024, COMMENT_ID, rule="must be word characters and ASCII punctuation without /")
_PROPERTY_TEXT = text()
_ADDRESS = text(1, 512)
_ADDRESSES = array(_ADDRESS, most=2048)
_SUBJECT = record({"text": text(0, MAX_TEXT)}, {"translated_from": text(0, MAX_TEXT)})
_HREF = text(0, 16384)
_CONTENT = record(
    {"text": text(0, MAX_TEXT)},
    {"translated_from": text(0, MAX_TEXT), "text_markup": _markup, "translated_from_markup": _markup},
)
_MESSAGE = record(
    {"body": _CONTENT},
    {
        "subject": _SUBJECT,
        "signature": _CONTENT,
        "from": _ADDRESS,
        "to": _ADDRESSES,
        "cc": _ADDRESSES,
        "bcc": _ADDRESSES,
        "sent_at": INSTANT,
        "language": text(1, 8),
    },
)
ATTACHMENT = record(
    {"name": text(0, 256), "size": whole_number(), "content_type": text(0, 256)},
    {
        "content_hash": text(64, 64, r"[0-9a-f]*", rule="must be 64 lower-case hexadecimal digits"),
        "inline": flag,
        "attachment_reference": text(0, 128, r"[A-Za-z0-9_-]*"),
    },
)
ATTACHMENTS = array(ATTACHMENT, most=128)
_REQUIRED = {"id": ID, "timestamp": INSTANT, "messages": array(_MESSAGE, most=1)}
_OPTIONAL = {
    "thread_id": ID,
    "user_properties": _user_properties,
    "text_format": one_of("plain", "markdown"),
    "attachments": ATTACHMENTS,
}


def _in_its_list(check: Check) -> Check:
    return lambda value, place: check(value, place.removeprefix("body."))


_COMMENT = _in_its_list(record(_REQUIRED, _OPTIONAL))
_COMMENT_WITH_CONTEXT = _in_its_list(record(_REQUIRED, {**_OPTIONAL, "context": text(1, 1024)}))
_SYNC = record({"comments": array(_COMMENT, most=MAX_COMMENTS)}, {})
_PUT = record({"comments": array(_COMMENT_WITH_CONTEXT, most=MAX_COMMENTS)}, {})
