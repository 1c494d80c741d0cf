"""What changed since a sync state: the opaque state itself, and the changes of a folder or of the tree.

A first listing runs newest first over what lies in the folder; later ones follow the log. What was created and is gone
again in between is told of as a deletion only.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from enum import Enum
from typing import Any

from simulators.exchange.store import Folder, Item, Mailbox

END = "."


class StateRefused(Exception):
    """ErrorInvalidSyncStateData."""


class What(Enum):
    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"
    READ = "ReadFlagChange"


@dataclass(frozen=True)
class Page:
    changes: list[tuple[What, str]]
    state: str
    last: bool


@dataclass(frozen=True)
class Step:
    """Some changes, the place behind them, and whether there is nothing more."""

    changes: list[tuple[What, str]]
    place: dict[str, Any]
    last: bool


def item_changes(mailbox: Mailbox, folder: Folder, state: str, most: int) -> Page:
    """A page of at most `most` changes of one folder. Raises `StateRefused`."""
    step = item_step(folder, _read(state, mailbox, folder.id) if state else None, most)
    return Page(step.changes, _write(mailbox, folder.id, step.place), step.last)


def item_step(folder: Folder, place: dict[str, Any] | None, most: int) -> Step:
    """At most `most` changes of one folder behind a place in it; None is its beginning."""
    if place is None:
        folder.listings += 1
        place = {"upto": len(folder.log), "told": None}
    if "told" in place:
        return _first_listing(folder, place["upto"], place["told"], most)
    return _since(folder, place["at"], most)


def tree_changes(mailbox: Mailbox, top: Folder, state: str) -> Page:
    """All changes of the folders below `top`. Raises `StateRefused`."""
    tree = f"tree below {top.distinguished or top.id}"
    at = _read(state, mailbox, tree)["at"] if state else 0
    changes = []
    if top is mailbox.store_root and not state:
        # What lies beside the mail folders of people never changes here.
        changes = [(What.CREATE, folder.id) for folder in [*mailbox.non_ipm, mailbox.root]]
    for folder_id in dict.fromkeys(mailbox.tree_log[at:]):
        folder = mailbox.folders.get(folder_id)
        if folder is not None and mailbox.is_below(folder, top):
            changes.append((What.CREATE if folder.created > at else What.UPDATE, folder_id))
        elif state:
            changes.append((What.DELETE, folder_id))
    return Page(changes, _write(mailbox, tree, {"at": len(mailbox.tree_log)}), True)


def _first_listing(folder: Folder, upto: int, told: list[Any] | None, most: int) -> Step:
    """The next page behind the item last told. Its place is a moment and an id, not a count: what is deleted while
    somebody pages through must not shift the rest. The log from `upto` on is told at the end."""
    places: dict[str, list[Any]] = {
        item.id: [item.received.timestamp(), item.id]
        for item in folder.items.values()
        if item.listed and item.created <= upto
    }
    rest = sorted((place for place in places.values() if told is None or place < told), reverse=True)
    page, last = rest[:most], len(rest) <= most
    state = {"at": upto} if last else {"upto": upto, "told": page[-1]}
    caught_up = last and upto == len(folder.log)
    return Step([(What.CREATE, item_id) for _, item_id in page], state, caught_up)


def _since(folder: Folder, at: int, most: int) -> Step:
    kinds: dict[str, str] = {}
    end = at
    for kind, item_id in folder.log[at:]:
        if item_id not in kinds and len(kinds) >= most:
            break
        kinds[item_id] = kind if kinds.get(item_id) in (None, "read") else kinds[item_id]
        end += 1
    changes = [
        (what, item_id)
        for item_id, kind in kinds.items()
        if (what := _told(folder.items.get(item_id), kind, at)) is not None
    ]
    return Step(changes, {"at": end}, end >= len(folder.log))


def _told(item: Item | None, kind: str, at: int) -> What | None:
    if item is None:
        return What.DELETE
    if item.created > at:
        return What.CREATE
    return What.READ if kind == "read" else What.UPDATE


def _write(mailbox: Mailbox, of: str, state: dict[str, Any]) -> str:
    # Padded: real ones are long, and a client that cuts them must fail here.
    text = json.dumps([mailbox.address.casefold(), mailbox.generation, of, state]) + " " * 600 + END
    return base64.b64encode(text.encode()).decode()


def _read(state: str, mailbox: Mailbox, of: str) -> dict[str, Any]:
    try:
        text = base64.b64decode(state, validate=True).decode()
        address, generation, owner, known = json.loads(text.removesuffix(END))
    except ValueError as error:
        raise StateRefused from error
    if not text.endswith(END) or (address, generation, owner) != (mailbox.address.casefold(), mailbox.generation, of):
        raise StateRefused
    return dict(known)
