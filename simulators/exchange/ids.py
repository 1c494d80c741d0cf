"""Validates ids. Exchange has different errors for a malformed id and for the id of a missing object.

Sources: Microsoft's pages on ResponseCode and on EWS identifiers ("Identifier-related errors").
"""

from __future__ import annotations

import base64
import binascii
import struct

from lxml import etree

from simulators.exchange.soap import ItemFault

FOLDER = "AQMk"
ITEM = "AAMk"
LENGTH = 144
"""Number of characters in the id of a folder or item, as `store` creates it."""
INDEX = struct.Struct(">7xH")
"""Format of the suffix that the id of an attachment adds to the id of its item."""
NOT_FOUND = "The specified object was not found in the store."


def check_folder_id(element: etree._Element) -> None:
    """Raises `ItemFault` if a FolderId does not have the format of a folder id."""
    any_id = _well_formed(element)
    if any_id.startswith(ITEM):
        raise ItemFault("ErrorCannotUseItemIdForFolderId", "An item id was given instead of a folder id.")
    if not any_id.startswith(FOLDER) or len(any_id) != LENGTH:
        raise _malformed()


def check_item_id(element: etree._Element) -> None:
    """Raises `ItemFault` if an ItemId does not have the format of an item id."""
    any_id = _well_formed(element)
    if any_id.startswith(FOLDER):
        raise ItemFault("ErrorCannotUseFolderIdForItemId", "A folder id was given instead of an item id.")
    if not any_id.startswith(ITEM) or len(any_id) != LENGTH:
        raise _malformed()


def attachment_id(item_id: str, index: int) -> str:
    """The id of the attachment with this index."""
    return item_id + base64.b64encode(INDEX.pack(index)).decode()


def read_attachment_id(element: etree._Element) -> tuple[str, int]:
    """The item id and the index of an attachment. Raises `ItemFault`."""
    any_id = _well_formed(element)
    place = base64.b64decode(any_id[LENGTH:])
    if not any_id.startswith(ITEM) or len(place) != INDEX.size:
        raise _malformed()
    (index,) = INDEX.unpack(place)
    return any_id[:LENGTH], index


def _well_formed(element: etree._Element) -> str:
    any_id = element.get("Id") or ""
    if not any_id:
        raise ItemFault("ErrorInvalidIdEmpty", "Id is empty.")
    if not _is_base64(any_id):
        raise _malformed()
    if not _is_base64(element.get("ChangeKey") or ""):
        raise ItemFault("ErrorInvalidChangeKey", "The change key is invalid.")
    return any_id


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _malformed() -> ItemFault:
    return ItemFault("ErrorInvalidIdMalformed", "Id is malformed.")
