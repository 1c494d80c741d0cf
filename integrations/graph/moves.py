"""Which folders tell of a message that was moved, seen in the moves that people make while somebody watches. Only reads.

For `manage.py doctor`: the product believes none of the three behaviours (see `whereabouts`), and an admin may want to know
which one the service shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from integrations.graph.batches import AT_ONCE
from integrations.graph.cursors import local
from integrations.graph.mailbox import GraphMailbox
from integrations.graph.messages import Messages
from integrations.graph.rows import is_removed, item_id
from integrations.graph.whereabouts import whereabouts
from integrations.messages import ChangeKind, FolderId, ItemId

MOST_FOLDERS = 20
MOST_PAGES = 10
PAGE = 500
LATELY = timedelta(days=1)
"""How old the messages are at most that are watched, so that a folder of any size is at its end after a few pages."""


@dataclass(slots=True)
class MoveCounts:
    """How many moved messages were told in which way."""

    told: int = 0
    """In the folder that they went to, or where they are back: as documented."""
    removed_alone: int = 0
    """Back in their folder, which told that they were removed and no more."""
    no_row: int = 0
    """In another folder, which told nothing."""

    @property
    def moved(self) -> int:
        return self.told + self.removed_alone + self.no_row


@dataclass(slots=True)
class Moves:
    """Watches the first folders of a mailbox, the Inbox before all."""

    mailbox: GraphMailbox
    now: datetime
    _links: dict[FolderId, str] = field(default_factory=dict)

    def begin(self) -> int:
        """Note where each folder stands; how many are watched."""
        inbox = self.mailbox.document(self.mailbox.path("mailFolders", "inbox", select="id"))
        tree = self.mailbox.document(self.mailbox.path("mailFolders", "delta", select="id"), page_size=PAGE)
        names = [inbox["id"], *(row["id"] for row in tree["value"] if not is_removed(row))]
        since = (self.now - LATELY).strftime("%Y-%m-%dT%H:%M:%SZ")
        for folder in [FolderId(str(name)) for name in dict.fromkeys(names)][:MOST_FOLDERS]:
            where = self.mailbox.path(
                "mailFolders",
                folder,
                "messages",
                "delta",
                select="receivedDateTime",
                filter=f"receivedDateTime ge {since}",
            )
            _, link = self._round(where)
            if link:
                self._links[folder] = link
        return len(self._links)

    def end(self) -> MoveCounts:
        """What was told of the messages that were moved since."""
        told: dict[FolderId, set[ItemId]] = {}
        removed: dict[FolderId, set[ItemId]] = {}
        for folder, link in self._links.items():
            rows, _ = self._round(link)
            told[folder] = {item_id(row) for row in rows if not is_removed(row)}
            removed[folder] = {item_id(row) for row in rows if is_removed(row)}
        seen = MoveCounts()
        for item, there in self._places(removed).items():
            if item in told[there]:
                seen.told += 1
            elif item in removed[there]:
                seen.removed_alone += 1
            else:
                seen.no_row += 1
        return seen

    def _places(self, removed: Mapping[FolderId, set[ItemId]]) -> dict[ItemId, FolderId]:
        """The folders of those that were told as removed and are not gone, as far as these folders are watched."""
        places: dict[ItemId, FolderId] = {}
        for folder, items in removed.items():
            some = sorted(items - places.keys())[:AT_ONCE]
            if not some:
                continue
            for change in whereabouts(self.mailbox, Messages(self.mailbox), folder, some).changes:
                # Of an older message the filter hides the row.
                is_late = change.received is not None and change.received >= self.now - LATELY
                if change.kind is not ChangeKind.DELETED and change.folder_id in removed and is_late:
                    places[change.item_id] = change.folder_id
        return places

    def _round(self, where: str) -> tuple[list[Mapping[str, Any]], str]:
        """The rows of a round, and the link behind it; none of a folder that is too large."""
        rows: list[Mapping[str, Any]] = []
        self.mailbox.connection.deadline.start()
        for _ in range(MOST_PAGES):
            page = self.mailbox.document(where, page_size=PAGE)
            rows += page["value"]
            ahead = page.get("@odata.nextLink")
            where = local(ahead or page.get("@odata.deltaLink"), self.mailbox.connection.settings.base)
            if not ahead:
                return rows, where
        return rows, ""
