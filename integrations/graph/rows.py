"""Rows of a message list: the properties that Graph lists for a message, without its content.

A row contains the facts of a change, and the details that become properties of a comment.

The change key of Graph is not used: it changes each time the email is read. The change key of this product is a digest
of the facts that a comment shows. It changes with the size, the categories or the importance of the email, for example,
and stays the same when the email is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrations.messages import Change, ChangeKind, FolderId, ItemDetails, ItemId
from integrations.network.values import parse_time, whole_number

FACTS = ("internetMessageId", "receivedDateTime", "isDraft", "importance", "categories", "hasAttachments")
CLASS, SIZE, SENSITIVITY, TOPIC = "String 0x001A", "Integer 0x0E08", "Integer 0x0036", "String 0x0070"
"""MAPI property tags, in the format of Graph's extended properties."""
SELECT = ",".join(("id", "parentFolderId", "lastModifiedDateTime", *FACTS))
EXPAND = "singleValueExtendedProperties($filter={})".format(
    " or ".join(f"id eq '{tag}'" for tag in (CLASS, SIZE, SENSITIVITY, TOPIC))
)
SENSITIVITIES = {"0": "Normal", "1": "Personal", "2": "Private", "3": "Confidential"}


@dataclass(frozen=True, slots=True)
class DeltaRow:
    """A parsed row.

    Attributes:
        change: The change that the row reports.
        details: Properties of the email in addition to its MIME content.
    """

    change: Change
    details: ItemDetails


def is_removed(row: Mapping[str, Any]) -> bool:
    """Return whether the row reports a removal.

    Args:
        row: Row of a delta page.

    Returns:
        True if the message was deleted from the folder or moved to another one.
    """
    return "@removed" in row


def is_complete(row: Mapping[str, Any]) -> bool:
    """Return whether the row lists all properties. Graph may list only the changed ones, so three of them are checked.

    Args:
        row: Row of a page.

    Returns:
        True for a row that can be parsed without another request.
    """
    return "receivedDateTime" in row and "isDraft" in row and "singleValueExtendedProperties" in row


def with_defaults(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the response about one message, with defaults for the properties that `is_complete` checks.

    Args:
        row: Response to a request by id.

    Returns:
        A complete row.
    """
    return {"receivedDateTime": None, "isDraft": False, "singleValueExtendedProperties": [], **row}


def has_no_relevant_change(row: Mapping[str, Any]) -> bool:
    """Return whether the row lists no property that a comment shows. For example, only the read mark or a flag changed.

    Args:
        row: Row of a delta page.

    Returns:
        True for a row that needs no fetch.
    """
    return not any(name in row for name in (*FACTS, "singleValueExtendedProperties"))


def item_id(row: Mapping[str, Any]) -> ItemId:
    """Return the id of the message.

    Args:
        row: Row of a page.

    Returns:
        Immutable id.

    Raises:
        LookupError: The row has no id.
        TypeError: The id is not a string, or is blank.
    """
    value = row["id"]
    if not isinstance(value, str) or not value:
        raise TypeError
    return ItemId(value)


def deletion(row: Mapping[str, Any], folder: FolderId) -> Change:
    """Return the change for a row that reports a removal.

    Args:
        row: Row of a delta page.
        folder: Id of the listed folder.

    Returns:
        A change of the kind `DELETED`.
    """
    return Change(ChangeKind.DELETED, folder, item_id(row))


def parse_row(row: Mapping[str, Any], folder: FolderId, kind: ChangeKind) -> DeltaRow:
    """Return a complete row as a change with its details.

    Args:
        row: A complete row: see `is_complete`.
        folder: Id of the folder of the change.
        kind: Kind of the change.

    Returns:
        The parsed row.
    """
    extended = _extended_properties(row)
    details = ItemDetails(
        received=parse_time(_text(row, "receivedDateTime")),
        size=whole_number(extended.get(SIZE)),
        item_class=extended.get(CLASS) or "IPM.Note",
        importance=_text(row, "importance").capitalize(),
        sensitivity=SENSITIVITIES.get(extended.get(SENSITIVITY, "0"), ""),
        categories=tuple(name for name in row.get("categories") or () if isinstance(name, str) and name),
        conversation_topic=extended.get(TOPIC, ""),
        draft=row.get("isDraft") is True,
    )
    change = Change(
        kind=kind,
        folder_id=folder,
        item_id=item_id(row),
        change_key=_change_key(row, details),
        item_class=details.item_class,
        message_id=_text(row, "internetMessageId"),
        received=details.received,
        size=details.size,
        draft=details.draft,
        modified=parse_time(_text(row, "lastModifiedDateTime")),
    )
    return DeltaRow(change, details)


def folder_of(row: Mapping[str, Any]) -> str:
    """Return the id of the folder that contains the message.

    Args:
        row: Row of a page.

    Returns:
        Folder id. Blank where the row does not name the folder.
    """
    return _text(row, "parentFolderId")


def _change_key(row: Mapping[str, Any], details: ItemDetails) -> str:
    facts = [
        _text(row, "internetMessageId"),
        str(details.received),
        details.size,
        details.item_class,
        details.importance,
        details.sensitivity,
        details.categories,
        details.conversation_topic,
        details.draft,
        row.get("hasAttachments") is True,
    ]
    return "facts-" + hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""


def _extended_properties(row: Mapping[str, Any]) -> dict[str, str]:
    """Return the values by the tags of this module.

    Graph writes the number of a tag in lower case and without leading zeros.
    """
    tags = {_normalized(tag): tag for tag in (CLASS, SIZE, SENSITIVITY, TOPIC)}
    values: dict[str, str] = {}
    for item in row.get("singleValueExtendedProperties") or ():
        if isinstance(item, dict) and isinstance(item.get("value"), str):
            tag = tags.get(_normalized(str(item.get("id"))))
            if tag:
                values[tag] = item["value"]
    return values


def _normalized(tag: str) -> tuple[str, str]:
    kind, _, number = tag.partition(" ")
    return kind.casefold(), number.casefold().removeprefix("0x").lstrip("0")
