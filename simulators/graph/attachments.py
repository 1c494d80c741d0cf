"""Attachments of a message (files and attached emails): as JSON, and the raw bytes of one attachment."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection
from typing import Any

from simulators.exchange.contents import Attached, contents_of
from simulators.exchange.store import Item
from simulators.graph.errors import Refused
from simulators.graph.identifiers import item_id
from simulators.graph.query import utc
from simulators.http import Response

OF_ALL = ("id", "lastModifiedDateTime", "name", "contentType", "size", "isInline")
PROPERTIES = (*OF_ALL, "contentId", "contentLocation", "contentBytes")
"""The last three properties exist only for files."""


def attachments_of(item: Item) -> list[Attached]:
    return contents_of(item.mail).attachments


def find_attachment(item: Item, number: str) -> int:
    """The index of an attachment in its message. `number`: the regular or immutable id of the attachment. Raises `Refused`."""
    for place in range(len(attachments_of(item))):
        if number in (_id(item, place, immutable=False), _id(item, place, immutable=True)):
            return place
    raise Refused("ErrorItemNotFound")


def attachment_json(item: Item, place: int, select: Collection[str], *, immutable: bool) -> dict[str, Any]:
    """An attachment as JSON, with the properties of `select`; all properties if `select` is empty."""
    attached = attachments_of(item)[place]
    kind = "itemAttachment" if attached.is_item else "fileAttachment"
    values: dict[str, Any] = {
        "id": _id(item, place, immutable=immutable),
        "lastModifiedDateTime": utc(item.modified),
        "name": attached.name,
        "contentType": attached.content_type,
        "size": len(attached.content),
        "isInline": attached.inline,
    }
    if not attached.is_item:
        values["contentId"] = attached.content_id or None
        values["contentLocation"] = None
        values["contentBytes"] = base64.b64encode(attached.content).decode()
    selected = {name: value for name, value in values.items() if not select or name in select or name == "id"}
    return {"@odata.type": f"#microsoft.graph.{kind}"} | selected


def raw(item: Item, place: int) -> Response:
    """The bytes of a file, or the MIME of an attached email."""
    attached = attachments_of(item)[place]
    return Response(
        200, attached.content, "text/plain" if attached.is_item else attached.content_type, label="attachment"
    )


def _id(item: Item, place: int, *, immutable: bool) -> str:
    mark = hashlib.sha256(f"{item.immutable_id} {place}".encode()).hexdigest()[:24]
    return f"{item_id(item, immutable).rstrip('=')}BEgAQA{mark}="
