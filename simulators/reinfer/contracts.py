"""The rules for request bodies without comments.

These bodies contain sources, filters, datasets, buckets, emails, sync states or raw emails. As in `contract`, the stricter
reading applies where the published schemas are ambiguous.
"""

from __future__ import annotations

from typing import Any

from simulators.reinfer.body_checks import Check, InvalidBody, array, flag, nullable, one_of, record, text, whole_number
from simulators.reinfer.contract import ATTACHMENTS, ID, INSTANT, MAX_TEXT, property_name

_HEX_ID = text(16, 16, r"[0-9a-f]*", rule="must be 16 lower-case hexadecimal digits")
_TAG = text(1, 66, r".{1,32}\.[0-9]{1,16}\.[A-Z0-9]{1,16}", rule="must be a transform tag, such as generic.0.CONVKER5")
_TEXTS = array(text(), most=4096)
_SOURCE = {
    "title": text(0, 128),
    "description": text(0, 16384),
    "should_translate": flag,
    "sensitive_properties": array(text(1, 71), most=4096),
    "email_transform_tag": _TAG,
    "email_transform_version": whole_number(0, 1024),
}
_KINDS = one_of("call", "chat", "unknown", "ixp_design", "ixp_runtime")

EMPTY: Check = record({}, {})
NEW_SOURCE = record(
    {"source": record({}, {**_SOURCE, "language": one_of("en", "de", "xlm"), "bucket_id": _HEX_ID, "_kind": _KINDS})},
    {},
)
CHANGED_SOURCE = record({"source": record({}, {**_SOURCE, "bucket_id": nullable(_HEX_ID)})}, {})

COUNTED = record(
    {},
    {
        "comment_filter": record(
            {},
            {
                "messages": EMPTY,
                "sources": array(_HEX_ID, most=4096),
                "timestamp": record({}, {"minimum": INSTANT, "maximum": INSTANT}),
                "reviewed": one_of("only_reviewed", "only_unreviewed"),
            },
        )
    },
)
"""Other filters are refused. Ignoring an unknown filter would return a wrong count."""

NEW_DATASET = record(
    {
        "dataset": record(
            {"source_ids": array(_HEX_ID, most=4096)}, {"title": text(0, 128), "description": text(0, 16384)}
        )
    },
    {},
)

_UPDATED_BY = record(
    {
        "config_owner": text(1, 1024),
        "config_key": text(1, 1024),
        "shard_index": whole_number(),
        "num_shards": whole_number(1),
    },
    {},
)
NEW_BUCKET = record({"bucket": record({}, {"bucket_type": one_of("emails"), "title": text(0, 128)})}, {})
CHANGED_BUCKET = record({"bucket": record({}, {"title": text(0, 128), "last_updated_by": _UPDATED_BY})}, {})

_METADATA = record(
    {},
    {
        "sensitivity": text(),
        "size": whole_number(),
        "categories": _TEXTS,
        "importance": text(),
        "has_attachments": flag,
        "conversation_id": text(),
        "conversation_topic": text(),
        "is_read": flag,
        "folder": _TEXTS,
        "received_at": INSTANT,
    },
)
_EMAIL = record(
    {"id": text(1), "mailbox": text(1), "timestamp": INSTANT, "mime_content": text(1)},
    {"metadata": _METADATA, "attachments": ATTACHMENTS},
)
PUT_EMAILS = record({"emails": array(_EMAIL, most=4096)}, {})
EMAIL_PAGE = record({"limit": whole_number(1, 256)}, {"continuation": text(1)})
EMAIL_QUERY = record(
    {"limit": whole_number(1, 256)},
    {"continuation": text(1), "from_timestamp": INSTANT, "to_timestamp": INSTANT, "mailbox_name": text(1)},
)

_FOLDER = ("folder_id", "folder_path")
_STATE = record(
    {"mailbox_name": text(1, 1024), "status": one_of("IN_PROGRESS", "UP_TO_DATE")},
    {
        "folder_id": text(1),
        "folder_path": _TEXTS,
        "synced_until": nullable(INSTANT),
        "last_synced_at": INSTANT,
        "fingerprint": nullable(INSTANT),
    },
)


def _state(value: Any, place: str) -> None:
    """Check a sync state. The state of a folder has both keys in `_FOLDER`, the state of a mailbox has neither."""
    _STATE(value, place)
    if len([key for key in _FOLDER if key in value]) == 1:
        raise InvalidBody(place, "folder_id and folder_path must be given together")


PUT_STATE = record({"keyed_sync_state": _state}, {})
STATE_IDS = record({"mailbox_name": text(1, 1024)}, {})


def _one_of_both(value: Any, place: str) -> None:
    record({}, {"raw": text(1, 65536), "parsed": _parsed_headers})(value, place)
    if len(value) != 1:
        raise InvalidBody(place, "must be either raw or parsed")


def _parsed_headers(value: Any, place: str) -> None:
    if not isinstance(value, dict):
        raise InvalidBody(place, "must be an object")
    for position, given in enumerate(value.values(), start=1):
        for one in given if isinstance(given, list) else [given]:
            if (
                isinstance(one, bool)
                or not isinstance(one, str | int | float)
                or (isinstance(given, list) and not isinstance(one, str))
            ):
                raise InvalidBody(f"{place}, key {position}", "must be text, a number or a list of texts")


def _raw_body(value: Any, place: str) -> None:
    record({}, {"plain": text(0, MAX_TEXT), "html": text(0, 33_554_432)})(value, place)
    if not value:
        raise InvalidBody(place, "must have plain or html")


def _text_properties(value: Any, place: str) -> None:
    """Check the properties of a raw email. Their values are strings, so every key must begin with `string:`."""
    if not isinstance(value, dict):
        raise InvalidBody(place, "must be an object")
    for position, (key, element) in enumerate(value.items(), start=1):
        spot = f"{place}, key {position}"
        if not key.startswith("string:"):
            raise InvalidBody(spot, "must begin with string:")
        property_name(key.removeprefix("string:"), spot)
        text()(element, spot)


_DOCUMENT = record(
    {"raw_email": record({"headers": _one_of_both, "body": _raw_body}, {"attachments": ATTACHMENTS})},
    {"comment_id": ID, "user_properties": _text_properties},
)
RAW_EMAILS = record(
    {"documents": array(_DOCUMENT, most=4096)},
    {"transform_tag": _TAG, "include_comments": flag, "override_user_properties": array(text(1, 71), most=128)},
)
