"""The rescan: folders are listed again after an upgrade, for emails that newer fixed rules want.

Every sync still reads the changes of every folder with the normal cursor. The rescan lists each folder from its
beginning with a second cursor: a few pages at the end of each sync that has finished everything else. So new mail never
waits for the rescan, and Exchange gets few requests. The rescan fetches and pushes nothing.

New folders, and folders of classes that earlier releases did not read, need no rescan: they are listed from their
beginning anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from integrations.errors import CursorRefused, FolderGone, FolderRefused, IntegrationError, Scope
from integrations.messages import Change, FolderId
from integrations.ports import Source
from sync.engine.delivery import EmailDelivery
from sync.engine.newly_wanted import key_of
from sync.engine.ports import Checkpoints, Control, Ledger
from sync.engine.prefilter import Prefilter, newly_wanted
from sync.engine.records import NEWLY_WANTED, FolderRecord, Found

MAX_PAGES = 4
"""Maximum number of pages that one sync rescans. A failed request counts as a page, unless the server refused the cursor."""


@dataclass(slots=True)
class Rescan:
    """The rescan of one mailbox within one sync."""

    source: Source
    delivery: EmailDelivery
    ledger: Ledger
    checkpoints: Checkpoints
    control: Control
    require_time: Callable[[], None]
    """Raises `SliceOver` when the sync has to end."""
    prefilter: Callable[[FolderRecord, Sequence[Change]], Prefilter]
    version: int
    """The version of the fixed rules in this release."""
    refused: Collection[FolderId] = ()
    """Folders that cannot be read."""
    _pages: int = 0

    def run(self, folders: Sequence[FolderRecord]) -> None:
        """Read up to `MAX_PAGES` pages, as long as the time slice has not ended.

        An error that concerns only one folder or this mailbox does not end the rescan of the other folders. The next
        sync tries the folder again.

        Args:
            folders: The folders of the mailbox.

        Raises:
            IntegrationError: The error concerns more than this mailbox, or the server requested a waiting time.
            SliceOver: The sync has to end.
            LeaseLost: Another worker holds the lease.
        """
        for folder in folders:
            if folder.looked_through >= self.version or folder.listing or folder.cursor is None:
                continue
            if folder.id in self.delivery.folders:
                # The mail of the folder is not wanted. If a change of the filters makes it wanted, the folder is listed again.
                self.checkpoints.move_rescan_cursor(folder.id, before=folder.look_cursor, after=None, last=True)
            elif folder.id not in self.refused:
                self._folder(folder)
            if self._is_enough():
                return

    def _is_enough(self) -> bool:
        return self._pages >= MAX_PAGES or not self.control.has_time()

    def _folder(self, folder: FolderRecord) -> None:
        before = folder.look_cursor
        try:
            for page in self.source.changes(folder.id, before):
                self._pages += 1
                self.require_time()
                if page.changes:
                    self.ledger.withhold(self._found(folder, page.changes))
                self.checkpoints.move_rescan_cursor(folder.id, before=before, after=page.cursor, last=page.last)
                before = page.cursor
                if page.last or self._is_enough():
                    return
        except CursorRefused:
            self.checkpoints.move_rescan_cursor(folder.id, before=before, after=None)
        except (FolderGone, FolderRefused):
            self._pages += 1
        except IntegrationError as error:
            if error.scope is not Scope.MAILBOX or error.retry_after is not None:
                raise
            self._pages += 1

    def _found(self, folder: FolderRecord, changes: Sequence[Change]) -> list[Found]:
        return [
            found_record(self.delivery, change, version)
            for change, version in newly_wanted(changes, self.prefilter(folder, changes))
        ]


def found_record(delivery: EmailDelivery, change: Change, version: int) -> Found:
    """Return the record of a newly wanted item.

    Args:
        delivery: The delivery of the mailbox.
        change: The item.
        version: The version on which an administrator has to decide; 0 if the item is delivered at once.

    Returns:
        The record.
    """
    item = delivery.item_record(change, verdict=NEWLY_WANTED, comment_id=key_of(change))
    return Found(item, version, change.draft)


def is_rescanned(folders: Sequence[FolderRecord], version: int, refused: Collection[FolderId]) -> bool:
    """Return whether each folder was rescanned, except the folders that cannot be read.

    Args:
        folders: The folders of the mailbox.
        version: The version of the fixed rules in this release.
        refused: Folders that cannot be read.

    Returns:
        Whether all folders that can be read were rescanned for this version.
    """
    return all(folder.looked_through >= version for folder in folders if folder.id not in refused)
