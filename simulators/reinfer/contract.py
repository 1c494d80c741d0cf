"""What Re:infer takes as a comment, with every limit that its schema publishes. `contracts` has the other bodies.

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
_MOST_MARKUP_CHILDREN = 10944
_LARGEST = sys.float_info.max
_PROPERTY_NAME = re.compile(r"\w(?:[^>`]{0,62}[^>` ])?")


def check_sync(body: Any, place: str = "body") -> None:
    """Pass a whole `{"comments": […]}`, or raise `Misshapen` for the first comment that breaks a rule."""
    _SYNC(body, place)


def check_put(body: Any, place: str = "body") -> None:
    """The same where a comment may name the `context` that it overwrites."""
    _PUT(body, place)


def _markup(value: Any, place: str) -> None:
    if not isinstance(value, list | dict):
        raise Misshapen(place, "must be an array or an object")
    nodes, left = 0, [value]
    while left:
        node = left.pop()
        if isinstance(node, dict):
            nodes += 1
            _HREF(node.get("href", ""), place)
            left.extend(node.values())
        elif isinstance(node, list):
            if len(node) > _MOST_MARKUP_CHILDREN:
                raise Misshapen(place, f"must have at most {_MOST_MARKUP_CHILDREN} children in a node")
            left.extend(node)
    if nodes > _MOST_MARKUP_NODES:
        raise Misshapen(place, f"must have at most {_MOST_MARKUP_NODES} nodes")


def _user_properties(value: Any, place: str) -> None:
    """Keys are the user's words, so a message tells the position of a bad one and not its name."""
    if not isinstance(value, Mapping):
        raise Misshapen(place, "must be an object")
    for position, (key, element) in enumerate(value.items(), start=1):
        kind, colon, name = key.partition(":")
        spot = f"{place}, key {position}"
        if not colon or kind not in ("string", "number"):
            raise Misshapen(spot, "must begin with string: or number:")
        property_name(name, spot)
        _property_value(kind, element, spot)


def property_name(name: str, place: str) -> None:
    """Pass the name of a user property, without its prefix; the message does not repeat it."""
    if not _PROPERTY_NAME.fullmatch(name):
        raise Misshapen(place, "its name breaks the rule (1 to 64 characters, word first, no > or `, no space last)")


def _property_value(kind: str, value: Any, place: str) -> None:
    if kind == "number":
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
            raise Misshapen(place, "must hold a finite number")
        return
    _PROPERTY_TEXT(value, place)
    if not value.strip():
        raise Misshapen(place, "must not be blank")


INSTANT = instant(1400, 9999)
ID = text(1, 1024, COMMENT_ID, rule="must be word characters and ASCII punctuation without /")
_PROPERTY_TEXT = text()
_ADDRESS = text(1, 512)
_ADDRESSES = array(_ADDRESS, most=2048)
_SUBJECT = record({"text": text(0, MOST_TEXT)}, {"translated_from": text(0, MOST_TEXT)})
_HREF = text(0, 16384)
_CONTENT = record(
    {"text": text(0, MOST_TEXT)},
    {"translated_from": text(0, MOST_TEXT), "text_markup": _markup, "translated_from_markup": _markup},
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
_SYNC = record({"comments": array(_COMMENT, most=MOST_COMMENTS)}, {})
_PUT = record({"comments": array(_COMMENT_WITH_CONTEXT, most=MOST_COMMENTS)}, {})
