"""What change tracking tells of messages that were moved, under immutable ids: three behaviours, one of them documented.

Microsoft documents that an immutable id stays when its message is moved, and of a delta that it tells of messages added to
the folder and removed from it. People report otherwise: microsoftgraph/microsoft-graph-docs-contrib, issue 72, and
wisecom-oy/atlas, issue 48.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum

from simulators.exchange.changes import What
from simulators.exchange.store import Folder, Item, Mailbox


class Removals(StrEnum):
    """What the folders tell of a message that was moved."""

    DOCUMENTED = "documented"
    """`@removed` in the folder that it left, a row in the one that it went to; a row alone where it is back."""
    AWAY_AND_BACK = "away-and-back"
    """The same, but a message that left its folder and is back in it is told there as `@removed` alone (issue 72)."""
    NO_ROW = "no-row"
    """`@removed` in the folder that it left, and nothing in the one that it went to, before it changes there (issue 48)."""


def told(
    mailbox: Mailbox, folder: Folder, at: int, changes: Sequence[tuple[What, str]], removals: Removals
) -> Iterator[tuple[What, str]]:
    """Those of these changes of a folder, behind the position `at` in its log, that a client hears of that asks for immutable
    ids."""
    for what, item_id in changes:
        if what is What.DELETE:
            if removals is not Removals.DOCUMENTED or not _is_back(mailbox, folder, item_id):
                yield what, item_id
        elif what is not What.CREATE or not _is_kept_quiet(mailbox, folder, at, folder.items[item_id], removals):
            yield what, item_id


def _is_back(mailbox: Mailbox, folder: Folder, item_id: str) -> bool:
    now = mailbox.find_immutable(mailbox.immutable_id(item_id))
    return now is not None and now.folder_id == folder.id


def _is_kept_quiet(mailbox: Mailbox, folder: Folder, at: int, item: Item, removals: Removals) -> bool:
    """Whether the arrival of a message by a move is not told. A later change of it is."""
    arrival = item.created - 1
    if not mailbox.was_moved(item) or any(changed == item.id for _, changed in folder.log[arrival + 1 :]):
        return False
    if removals is Removals.AWAY_AND_BACK:
        left = (gone for kind, gone in folder.log[at:arrival] if kind == "gone")
        return any(mailbox.immutable_id(gone) == item.immutable_id for gone in left)
    return removals is Removals.NO_ROW
