"""The changes of a folder or of the folder tree since a sync state, and the opaque sync state.

The first listing returns the items of the folder, newest first. Later requests return the changes in the log. An item that
was created and deleted between two requests is reported only as deleted.
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
    """The sync state is invalid (ErrorInvalidSyncStateData)."""


class ChangeKind(Enum):
    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"
    READ = "ReadFlagChange"


@dataclass(frozen=True)
class Page:
    changes: list[tuple[ChangeKind, str]]
    state: str
    last: bool


@dataclass(frozen=True)
class Step:
    """Some changes. `place`: the position after them. `last`: no changes follow."""

    changes: list[tuple[ChangeKind, str]]
    place: dict[str, Any]
    last: bool


def item_changes(mailbox: Mailbox, folder: Folder, state: str, most: int) -> Page:
    """A page of at most `most` changes of one folder. Raises `StateRefused`."""
    step = item_step(folder, _read(state, mailbox, folder.id) if state else None, most)
    return Page(step.changes, _write(mailbox, folder.id, step.place), step.last)


def item_step(folder: Folder, place: dict[str, Any] | None, most: int) -> Step:
    """At most `most` changes of one folder after `place`; None is the beginning."""
    if place is None:
        folder.listings += 1
        place = {"upto": len(folder.log), "after": None}
    if "after" in place:
        return _first_listing(folder, place["upto"], place["after"], most)
    return _since(folder, place["at"], most)


def tree_changes(mailbox: Mailbox, top: Folder, state: str) -> Page:
    """All changes of the folders below `top`. Raises `StateRefused`."""
    tree = f"tree below {top.distinguished or top.id}"
    at = _read(state, mailbox, tree)["at"] if state else 0
    changes = []
    if top is mailbox.store_root and not state:
        # The folders outside the mail folders of users never change in this simulator.
        changes = [(ChangeKind.CREATE, folder.id) for folder in [*mailbox.non_ipm, mailbox.root]]
    for folder_id in dict.fromkeys(mailbox.tree_log[at:]):
        folder = mailbox.folders.get(folder_id)
        if folder is not None and mailbox.is_below(folder, top):
            changes.append((ChangeKind.CREATE if folder.created > at else ChangeKind.UPDATE, folder_id))
        elif state:
            changes.append((ChangeKind.DELETE, folder_id))
    return Page(changes, _write(mailbox, tree, {"at": len(mailbox.tree_log)}), True)


def _first_listing(folder: Folder, upto: int, after: list[Any] | None, most: int) -> Step:
    """The next page of the first listing.

    The position is the time and id of the last returned item, not a count, so that a deletion between two pages does not shift
    the other items. The changes in the log after `upto` are reported after the last page.
    """
    places: dict[str, list[Any]] = {
        item.id: [item.received.timestamp(), item.id]
        for item in folder.items.values()
        if item.listed and item.created <= upto
    }
    remaining = sorted((place for place in places.values() if after is None or place < after), reverse=True)
    page, last = remaining[:most], len(remaining) <= most
    state = {"at": upto} if last else {"upto": upto, "after": page[-1]}
    caught_up = last and upto == len(folder.log)
    return Step([(ChangeKind.CREATE, item_id) for _, item_id in page], state, caught_up)


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
        if (what := _change_of(folder.items.get(item_id), kind, at)) is not None
    ]
    return Step(changes, {"at": end}, end >= len(folder.log))


def _change_of(item: Item | None, kind: str, at: int) -> ChangeKind | None:
    if item is None:
        return ChangeKind.DELETE
    if item.created > at:
        return ChangeKind.CREATE
    return ChangeKind.READ if kind == "read" else ChangeKind.UPDATE


def _write(mailbox: Mailbox, of: str, state: dict[str, Any]) -> str:
    # Padded, because real sync states are long: a client that truncates them must fail in the tests.
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
