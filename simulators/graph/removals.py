"""How change tracking reports moved messages with immutable ids: as documented, and in two other ways that users observed.

Microsoft documents that a message keeps its immutable id when it is moved, and that a delta query reports messages that were
added to the folder or removed from it. Users report other behaviour: microsoftgraph/microsoft-graph-docs-contrib, issue 72,
and wisecom-oy/atlas, issue 48.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum

from simulators.exchange.changes import ChangeKind
from simulators.exchange.store import Folder, Item, Mailbox


class Removals(StrEnum):
    """What the delta queries of two folders report after a message was moved."""

    DOCUMENTED = "documented"
    """`@removed` in the old folder, a message in the new folder. A message that was moved away and back: only a message."""
    AWAY_AND_BACK = "away-and-back"
    """As documented, but a message that was moved away and back is reported only as `@removed` (issue 72)."""
    NO_ROW = "no-row"
    """`@removed` in the old folder. Nothing in the new folder until the message changes in the new folder (issue 48)."""


def reported_changes(
    mailbox: Mailbox, folder: Folder, at: int, changes: Sequence[tuple[ChangeKind, str]], removals: Removals
) -> Iterator[tuple[ChangeKind, str]]:
    """The changes that a client with immutable ids receives.

    `changes` are changes of the folder after the position `at` in its log.
    """
    for what, item_id in changes:
        if what is ChangeKind.DELETE:
            if removals is not Removals.DOCUMENTED or not _is_back(mailbox, folder, item_id):
                yield what, item_id
        elif what is not ChangeKind.CREATE or not _is_unreported(mailbox, folder, at, folder.items[item_id], removals):
            yield what, item_id


def _is_back(mailbox: Mailbox, folder: Folder, item_id: str) -> bool:
    now = mailbox.find_immutable(mailbox.immutable_id(item_id))
    return now is not None and now.folder_id == folder.id


def _is_unreported(mailbox: Mailbox, folder: Folder, at: int, item: Item, removals: Removals) -> bool:
    """Whether the arrival of a moved message is not reported. A later change of the message is reported."""
    arrival = item.created - 1
    if not mailbox.was_moved(item) or any(changed == item.id for _, changed in folder.log[arrival + 1 :]):
        return False
    if removals is Removals.AWAY_AND_BACK:
        left = (gone for kind, gone in folder.log[at:arrival] if kind == "gone")
        return any(mailbox.immutable_id(gone) == item.immutable_id for gone in left)
    return removals is Removals.NO_ROW
