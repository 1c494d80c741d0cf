"""The sentence: a source reports what changed, a transform makes comments, a sink takes them, and then, only then, the
checkpoint moves.

Pure: all effects go through the ports it is given, so the same code runs over Exchange and PostgreSQL, and over fakes
that die at every step. What a single email goes through is in `sync.delivery`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from integrations.errors import CursorRefused, FolderGone, IntegrationError
from integrations.messages import Change, ChangePage, Cursor, FolderId, FolderKind
from integrations.ports import Source
from mailboxes.rules import Rules, Verdict, folder_verdict
from sync.careful import CAREFUL_AFTER, CarefulDelivery
from sync.delivery import Delivery
from sync.gate import sort_page
from sync.leftovers import Leftovers
from sync.ports import Checkpoints, Control, Ledger, SliceOver
from sync.records import CopyRecord, FolderRecord, Report


@dataclass(frozen=True, slots=True)
class Wishes:
    """What this mailbox wants, and the digest of it."""

    rules: Rules
    digest: str


@dataclass(slots=True)
class Engine:
    """One sync of one mailbox."""

    source: Source
    delivery: Delivery
    ledger: Ledger
    checkpoints: Checkpoints
    control: Control
    wishes: Wishes

    def run(self) -> Report:
        """Bring everything that changed to the sink. Raises what the ports raise; nothing is lost then."""
        try:
            self._folders()
            folders = self.checkpoints.folders()
            verdicts = {folder.id: self._verdict(folder) for folder in folders}
            self.delivery.folders = {
                folder: verdict for folder, verdict in verdicts.items() if verdict is not Verdict.WANTED
            }
            for folder in self._in_order(folders):
                self._folder(folder)
            Leftovers(self.source, self.delivery, self.ledger, self._go_on).run()
        except SliceOver:
            return Report(finished=False, stopped=self.control.stopped(), counts=self.delivery.counts)
        return Report(finished=True, counts=self.delivery.counts)

    # ---- the folder tree ------------------------------------------------------------------------------------------

    def _folders(self) -> None:
        cursor = self.checkpoints.folders_cursor()
        try:
            changes = self.source.folders(cursor)
        except CursorRefused:
            cursor = None
            changes = self.source.folders(None)
        self.checkpoints.record_folders(changes, complete=cursor is None)

    def _in_order(self, folders: Sequence[FolderRecord]) -> list[FolderRecord]:
        """Folders that are only followed come first: on a first sync nothing is known yet, so that a copy in Deleted
        Items never wins over the one in a wanted folder. Then the inbox and what was sent, then the rest by path."""
        first = {FolderKind.INBOX: 0, FolderKind.SENT: 1}
        return sorted(
            folders,
            key=lambda folder: (self._verdict(folder) is Verdict.WANTED, first.get(folder.kind, 2), folder.path),
        )

    def _verdict(self, folder: FolderRecord) -> Verdict:
        return folder_verdict(self.wishes.rules, folder.path, folder.kinds)

    # ---- one folder, page by page ---------------------------------------------------------------------------------

    def _folder(self, folder: FolderRecord) -> None:
        cursor = folder.cursor if folder.wanted_digest == self.wishes.digest else None
        if folder.cursor is not None and cursor is None:
            self.checkpoints.restart(folder.id)
        with suppress(FolderGone):  # the next look at the tree tells
            try:
                self._pages(folder, cursor)
            except CursorRefused:
                self.checkpoints.restart(folder.id)
                self._pages(folder, None)

    def _pages(self, folder: FolderRecord, before: Cursor | None) -> None:
        for page in self.source.changes(folder.id, before):
            self._go_on()
            if page.changes:  # most polls tell nothing, and then nothing has to be looked up either
                self._page(folder, page)
            self.checkpoints.advance(
                folder.id, before=before, after=page.cursor, last=page.last, wanted=self.wishes.digest
            )
            before = page.cursor
            if page.changes:
                self._go_on()  # delivering took its time: what another worker met meanwhile holds before the next request
            if page.last:
                return

    def _page(self, folder: FolderRecord, page: ChangePage) -> None:
        counts = self.delivery.counts
        counts.listed += len(page.changes)
        known = self.ledger.known(folder.id, page.changes)
        sorted_page = sort_page(page.changes, self._verdict(folder), self.wishes.rules, self.wishes.digest, known)
        # First who goes on under a new id: the old one may be among those that are to be forgotten.
        self.ledger.adopt(sorted_page.adopt)
        self.ledger.forget(folder.id, sorted_page.forget)
        self.ledger.remember([self._away(change, verdict) for change, verdict in sorted_page.turned_away])
        counts.not_wanted += len(sorted_page.turned_away)
        counts.unchanged += sorted_page.unchanged + len(sorted_page.adopt)
        if sorted_page.fetch:
            self._fetch(folder.id, sorted_page.fetch)

    def _away(self, change: Change, verdict: Verdict) -> CopyRecord:
        return self.delivery.copy(change, verdict=verdict, comment_id=None)

    def _fetch(self, folder: FolderId, changes: Sequence[Change]) -> None:
        attempt = self.checkpoints.begin(folder)
        try:
            if attempt.number > CAREFUL_AFTER:
                self._careful().run(folder, changes, attempt)
            else:
                self._in_batches(changes)
        except IntegrationError as error:
            if not error.may_be_item:
                self.checkpoints.excuse(folder)
            raise
        except SliceOver:
            self.checkpoints.excuse(folder)
            raise

    def _in_batches(self, changes: Sequence[Change]) -> None:
        for batch in self.delivery.sizes.fetch_batches(changes):
            self._go_on()
            gone = self.delivery.deliver(self.source.fetch(batch))
            if gone:
                self.ledger.vanished(gone)

    def _careful(self) -> CarefulDelivery:
        return CarefulDelivery(self.source, self.delivery, self.ledger, self.checkpoints, self._go_on)

    def _go_on(self) -> None:
        if not self.control.keep_going():
            raise SliceOver
