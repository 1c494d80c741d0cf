"""Observe how folders report messages that are moved. Sends only read requests.

`manage.py doctor` uses this module. The product works with each of the three behaviours in `MoveCounts` (see
`item_locations`), but an admin may want to know which behaviour the service shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from integrations.graph.batches import AT_ONCE
from integrations.graph.cursors import local_path
from integrations.graph.item_locations import locate_items
from integrations.graph.mailbox import GraphMailbox
from integrations.graph.messages import MessageCache
from integrations.graph.rows import is_removed, item_id
from integrations.messages import ChangeKind, FolderId, ItemId

MAX_FOLDERS = 20
MAX_PAGES = 10
PAGE_SIZE = 500
"""Rows per page."""
MAX_AGE = timedelta(days=1)
"""Maximum age of the messages that are observed, so that most folders have only a few pages of such messages."""


@dataclass(slots=True)
class MoveCounts:
    """Numbers of moved messages by the way in which they were reported.

    Attributes:
        documented: Reported as documented, by the folder that contains them now.
        removed_only: Moved away and back. Their folder reported them only as removed.
        no_row: Moved to another folder, which did not report them.
    """

    documented: int = 0
    removed_only: int = 0
    no_row: int = 0

    @property
    def moved(self) -> int:
        """The number of all moved messages."""
        return self.documented + self.removed_only + self.no_row


@dataclass(slots=True)
class MoveObserver:
    """Observes the first `MAX_FOLDERS` folders of a mailbox, starting with the Inbox.

    Attributes:
        mailbox: The mailbox.
        now: Time at which the observation starts, in UTC.
    """

    mailbox: GraphMailbox
    now: datetime
    _links: dict[FolderId, str] = field(default_factory=dict)

    def begin(self) -> int:
        """Store the current delta link of each folder, except folders that are too large.

        Returns:
            Number of observed folders.
        """
        inbox = self.mailbox.document(self.mailbox.path("mailFolders", "inbox", select="id"))
        tree = self.mailbox.document(self.mailbox.path("mailFolders", "delta", select="id"), page_size=PAGE_SIZE)
        ids = [inbox["id"], *(row["id"] for row in tree["value"] if not is_removed(row))]
        since = (self.now - MAX_AGE).strftime("%Y-%m-%dT%H:%M:%SZ")
        for folder in [FolderId(str(folder_id)) for folder_id in dict.fromkeys(ids)][:MAX_FOLDERS]:
            path = self.mailbox.path(
                "mailFolders",
                folder,
                "messages",
                "delta",
                select="receivedDateTime",
                filter=f"receivedDateTime ge {since}",
            )
            _, link = self._round(path)
            if link:
                self._links[folder] = link
        return len(self._links)

    def end(self) -> MoveCounts:
        """Count the messages that were moved from one observed folder to another since `begin`, or away and back.

        Returns:
            Counts by the way in which the folders reported the moves.
        """
        present: dict[FolderId, set[ItemId]] = {}
        removed: dict[FolderId, set[ItemId]] = {}
        for folder, link in self._links.items():
            rows, _ = self._round(link)
            present[folder] = {item_id(row) for row in rows if not is_removed(row)}
            removed[folder] = {item_id(row) for row in rows if is_removed(row)}
        counts = MoveCounts()
        for item, folder in self._current_folders(removed).items():
            if item in present[folder]:
                counts.documented += 1
            elif item in removed[folder]:
                counts.removed_only += 1
            else:
                counts.no_row += 1
        return counts

    def _current_folders(self, removed: Mapping[FolderId, set[ItemId]]) -> dict[ItemId, FolderId]:
        """Return the current folders, by item id, of messages that were reported as removed.

        Includes only recent messages that are in an observed folder. At most `AT_ONCE` messages per folder are located.
        """
        folders: dict[ItemId, FolderId] = {}
        for folder, items in removed.items():
            batch = sorted(items - folders.keys())[:AT_ONCE]
            if not batch:
                continue
            for change in locate_items(self.mailbox, MessageCache(self.mailbox), folder, batch).changes:
                # Rows of older messages are not listed: see the filter in `begin`.
                is_recent = change.received is not None and change.received >= self.now - MAX_AGE
                if change.kind is not ChangeKind.DELETED and change.folder_id in removed and is_recent:
                    folders[change.item_id] = change.folder_id
        return folders

    def _round(self, path: str) -> tuple[list[Mapping[str, Any]], str]:
        """Return the rows of at most `MAX_PAGES` pages, and the delta link, which is blank if there are more pages."""
        rows: list[Mapping[str, Any]] = []
        self.mailbox.connection.deadline.start()
        for _ in range(MAX_PAGES):
            page = self.mailbox.document(path, page_size=PAGE_SIZE)
            rows += page["value"]
            next_link = page.get("@odata.nextLink")
            path = local_path(next_link or page.get("@odata.deltaLink"), self.mailbox.connection.settings.base)
            if not next_link:
                return rows, path
        return rows, ""
