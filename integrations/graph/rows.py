"""What Graph tells of a message without its content: the facts of a change, and those that a comment's properties are made of.

Graph's own change key is not used: it is another one each time somebody reads the email. The key is made of the facts that a
comment shows instead, so that a read mark leaves it as it was, and an edit, a category or an attachment does not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrations.messages import Change, ChangeKind, FolderId, ItemDetails, ItemId
from integrations.network.values import moment, whole_number

FACTS = ("internetMessageId", "receivedDateTime", "isDraft", "importance", "categories", "hasAttachments")
CLASS, SIZE, SENSITIVITY, TOPIC = "String 0x001A", "Integer 0x0E08", "Integer 0x0036", "String 0x0070"
SELECT = ",".join(("id", "parentFolderId", "lastModifiedDateTime", *FACTS))
EXPAND = "singleValueExtendedProperties($filter={})".format(
    " or ".join(f"id eq '{tag}'" for tag in (CLASS, SIZE, SENSITIVITY, TOPIC))
)
SENSITIVITIES = {"0": "Normal", "1": "Personal", "2": "Private", "3": "Confidential"}


@dataclass(frozen=True, slots=True)
class DeltaRow:
    """A change and what else its row said."""

    change: Change
    details: ItemDetails


def is_removed(row: Mapping[str, Any]) -> bool:
    return "@removed" in row


def is_whole(row: Mapping[str, Any]) -> bool:
    """Whether the row has all that was asked for. Graph may tell of a change by what changed alone."""
    return "receivedDateTime" in row and "isDraft" in row and "singleValueExtendedProperties" in row


def filled(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer about one message, with what a message lacks that has none of it."""
    return {"receivedDateTime": None, "isDraft": False, "singleValueExtendedProperties": [], **row}


def is_of_no_interest(row: Mapping[str, Any]) -> bool:
    """Whether nothing changed that we ask for: a read mark, a flag."""
    return not any(name in row for name in (*FACTS, "singleValueExtendedProperties"))


def item_id(row: Mapping[str, Any]) -> ItemId:
    """Raises `LookupError` or `TypeError` for a row that is none."""
    told = row["id"]
    if not isinstance(told, str) or not told:
        raise TypeError
    return ItemId(told)


def removed(row: Mapping[str, Any], folder: FolderId) -> Change:
    return Change(ChangeKind.DELETED, folder, item_id(row))


def told(row: Mapping[str, Any], folder: FolderId, kind: ChangeKind) -> DeltaRow:
    """A whole row as a change of this folder."""
    extended = _extended(row)
    details = ItemDetails(
        received=moment(_text(row, "receivedDateTime")),
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
        change_key=_key(row, details),
        item_class=details.item_class,
        message_id=_text(row, "internetMessageId"),
        received=details.received,
        size=details.size,
        draft=details.draft,
        modified=moment(_text(row, "lastModifiedDateTime")),
    )
    return DeltaRow(change, details)


def folder_of(row: Mapping[str, Any]) -> str:
    return _text(row, "parentFolderId")


def _key(row: Mapping[str, Any], details: ItemDetails) -> str:
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


def _extended(row: Mapping[str, Any]) -> dict[str, str]:
    """By the ids as we spell them: Graph spells the number in lower case and without zeros in front."""
    spelling = {_spelled(tag): tag for tag in (CLASS, SIZE, SENSITIVITY, TOPIC)}
    found: dict[str, str] = {}
    for one in row.get("singleValueExtendedProperties") or ():
        if isinstance(one, dict) and isinstance(one.get("value"), str):
            tag = spelling.get(_spelled(str(one.get("id"))))
            if tag:
                found[tag] = one["value"]
    return found


def _spelled(tag: str) -> tuple[str, str]:
    kind, _, number = tag.partition(" ")
    return kind.casefold(), number.casefold().removeprefix("0x").lstrip("0")
