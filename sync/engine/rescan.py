"""Looking through folders once more after an upgrade, for what the fixed rules newly want.

Every folder is followed by its cursor as before. Beside that its listing is read once more from the beginning, with a cursor of
its own: a few pages at the end of each sync that had nothing else to do, so that live mail never waits for it and Exchange gets
few requests. Nothing is fetched and nothing is sent. Folders that are listed from their beginning anyway (new ones, and those
of classes that were not read before) need no other look.
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

PAGES = 4
"""Of listings, at the end of one sync."""


@dataclass(slots=True)
class Rescan:
    source: Source
    delivery: EmailDelivery
    ledger: Ledger
    checkpoints: Checkpoints
    control: Control
    go_on: Callable[[], None]
    """Raises when the sync has to end."""
    gate: Callable[[FolderRecord, Sequence[Change]], Prefilter]
    version: int
    """Of the rules."""
    refused: Collection[FolderId] = ()
    """Folders that cannot be read."""
    _pages: int = 0

    def run(self, folders: Sequence[FolderRecord]) -> None:
        """Read some pages. What fails in one folder does not keep the others, and does not fail the sync: the next one tries
        again. Raises what ends a sync."""
        for folder in folders:
            if folder.looked_through >= self.version or folder.listing or folder.cursor is None:
                continue
            if folder.id in self.delivery.folders:
                # Whoever wants its mail one day changes the filters, and it is listed again for that.
                self.checkpoints.look_on(folder.id, before=folder.look_cursor, after=None, last=True)
            elif folder.id not in self.refused:
                self._folder(folder)
            if self._is_enough():
                return

    def _is_enough(self) -> bool:
        return self._pages >= PAGES or not self.control.has_time()

    def _folder(self, folder: FolderRecord) -> None:
        before = folder.look_cursor
        try:
            for page in self.source.changes(folder.id, before):
                self._pages += 1
                self.go_on()
                if page.changes:
                    self.ledger.withhold(self._found(folder, page.changes))
                self.checkpoints.look_on(folder.id, before=before, after=page.cursor, last=page.last)
                before = page.cursor
                if page.last or self._is_enough():
                    return
        except CursorRefused:
            self.checkpoints.look_on(folder.id, before=before, after=None)
        except (FolderGone, FolderRefused):
            self._pages += 1
        except IntegrationError as error:
            if error.scope is not Scope.MAILBOX or error.retry_after is not None:
                raise
            self._pages += 1

    def _found(self, folder: FolderRecord, changes: Sequence[Change]) -> list[Found]:
        return [
            found(self.delivery, change, version)
            for change, version in newly_wanted(changes, self.gate(folder, changes))
        ]


def found(delivery: EmailDelivery, change: Change, version: int) -> Found:
    """What to remember of an item that waits for the answer to this version of the rules."""
    copy = delivery.copy(change, verdict=NEWLY_WANTED, comment_id=key_of(change))
    return Found(copy, version, change.draft)


def is_looked_through(folders: Sequence[FolderRecord], version: int, refused: Collection[FolderId]) -> bool:
    """Whether each of these was, when they were read from the database; without those that cannot be read."""
    return all(folder.looked_through >= version for folder in folders if folder.id not in refused)
