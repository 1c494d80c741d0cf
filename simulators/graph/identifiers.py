"""Ids in Graph: the ids of the store with `-` for `/` and `_` for `+`, and immutable ids."""

from __future__ import annotations

import re

from simulators.exchange.store import Item, Mailbox
from simulators.graph.errors import Refused

TO_GRAPH = str.maketrans("/+", "-_")
FROM_GRAPH = str.maketrans("-_", "/+")
SHAPE = re.compile(r"\AA[A-Za-z0-9_-]{60,}={0,2}\Z")


def shown(store_id: str) -> str:
    """The Graph id of an id of the store."""
    return store_id.translate(TO_GRAPH)


def item_id(item: Item, immutable: bool) -> str:
    return shown(item.immutable_id if immutable else item.id)


def gone_id(mailbox: Mailbox, store_id: str, immutable: bool) -> str:
    """The Graph id of a deleted or moved item."""
    return shown(mailbox.immutable_id(store_id) if immutable else store_id)


def in_store(graph_id: str) -> str:
    """The id of the store for a Graph id. Raises `Refused` for a malformed id."""
    if not SHAPE.match(graph_id):
        raise Refused("ErrorInvalidIdMalformed")
    return graph_id.translate(FROM_GRAPH)


def find_item(mailbox: Mailbox, graph_id: str) -> Item:
    """Find an item by its regular or immutable id; `Prefer` has no influence. Raises `Refused`."""
    store_id = in_store(graph_id)
    try:
        with mailbox.lock:
            return mailbox.find_immutable(store_id) or mailbox.item(store_id)
    except KeyError:
        raise Refused("ErrorItemNotFound") from None
