"""The sync of one mailbox: read changes, convert them to comments, push the comments, then move the checkpoint.

A checkpoint moves past a page only after every change of the page was processed, for example delivered, rejected,
withheld or recorded as a dead letter. A sync lasts one time slice and may end in the middle of a large mailbox.
`sync.engine.folder_order` decides which folder comes next.

When the slice ends, the sync continues until a page or a batch of emails is complete. So every slice makes progress,
however short it is, and the response to a slow request is not wasted. *Stop*, a lost lease, an open circuit breaker, a
used-up budget and a worker shutdown end a sync before the page or batch is complete.

Pure: all effects go through the ports. The same code runs on Exchange and PostgreSQL, and in tests on fakes that fail at
every step. The delivery of a batch of emails is in `sync.engine.delivery`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from integrations.errors import (
    CursorRefused,
    FolderGone,
    FolderNotFound,
    FolderRefused,
    IntegrationError,
    Refused,
    Scope,
)
from integrations.messages import Change, ChangePage, Cursor, FolderId
from integrations.ports import Source
from mailboxes.rules import FilterVerdict, Rules, folder_verdict
from sync.engine.backlog import Backlog
from sync.engine.change_locations import by_folder
from sync.engine.delivery import EmailDelivery
from sync.engine.folder_order import FolderOrder, backlog_comes_first, ends_turn, order_folders
from sync.engine.folder_refusals import is_of_mailbox, left_out, to_try
from sync.engine.isolation import ISOLATE_AFTER, IsolatedDelivery
from sync.engine.newly_wanted import Newly
from sync.engine.ports import Checkpoints, Control, Ledger, SliceOver
from sync.engine.prefilter import Prefilter, sort_page
from sync.engine.records import FolderRecord, ItemRecord, Report
from sync.engine.rescan import Rescan, found_record, is_rescanned


@dataclass(frozen=True, slots=True)
class DesiredMail:
    """Which mail is wanted: the filter rules of the mailbox, the fixed rules, and decisions of administrators."""

    rules: Rules
    digest: str
    version: int = 1
    """The version of the fixed rules."""
    newly: Newly = field(default_factory=Newly)
    """The decisions of administrators on emails that only newer versions of the fixed rules want."""


@dataclass(slots=True)
class Engine:
    """One sync of one mailbox."""

    source: Source
    delivery: EmailDelivery
    ledger: Ledger
    checkpoints: Checkpoints
    control: Control
    desired: DesiredMail
    _pages_done: int = field(default=0, init=False)
    _progress_at_answer: int = field(default=0, init=False)
    """The value of `_progress()` when the last page arrived. The end of the slice ends the sync only if `_progress()` has
    grown since then."""
    _in_next_round: bool = field(default=False, init=False)
    _folders_by_id: Mapping[FolderId, FolderRecord] = field(default_factory=dict, init=False)
    """The folders that hold mail and exist."""
    _refused: set[FolderId] = field(default_factory=set, init=False)
    """Folders that could not be read at the last attempt, by this sync or an earlier one."""
    _missing: set[FolderId] = field(default_factory=set, init=False)
    """Folders that the server did not find in this sync, and that do not count as refused yet. They were deleted a moment
    ago or cannot be read."""
    _last_refusal: FolderRefused | None = field(default=None, init=False)

    def run(self) -> Report:
        """Read changes and push comments, until the mailbox is up to date or the sync has to end.

        Returns:
            How the run ended.

        Raises:
            IntegrationError: Exchange, Re:infer or this product failed. The changes before the checkpoints were processed.
            LeaseLost: Another worker holds the lease.
        """
        try:
            self._folders()
            folders = self.checkpoints.folders()
            verdicts = {folder.id: self._verdict(folder) for folder in folders}
            self.delivery.folders = {
                folder: verdict for folder, verdict in verdicts.items() if verdict is not FilterVerdict.WANTED
            }
            self._folders_by_id = {folder.id: folder for folder in folders}
            self.delivery.kinds = {folder.id: folder.kind for folder in folders}
            self._refused = {folder.id for folder in folders if folder.refused}
            self._in_order(folders)
        except SliceOver:
            return Report(finished=False, stopped=self.control.stopped(), counts=self.delivery.counts)
        is_rescanning = self.desired.newly.looked_for < self.desired.version
        return Report(
            finished=True, left_out=self._left_out(), is_rescanning=is_rescanning, counts=self.delivery.counts
        )

    def _in_order(self, folders: Sequence[FolderRecord]) -> None:
        """Read the folders in the order of `sync.engine.folder_order`, then work through the backlog, then rescan.

        Refused folders whose retry is not due are skipped.
        """
        followed, digest = self.delivery.folders.keys(), self.desired.digest
        order = order_folders(to_try(folders, digest), followed, digest, self.checkpoints.round())
        self._folders_in(order)
        if self._last_refusal is not None and is_of_mailbox(folders, self._refused, followed):
            self.checkpoints.clear_left_out()
            raise self._last_refusal.of_mailbox from self._last_refusal
        if not self._left_out() and not self._missing:
            self.ledger.forget_foreign()
        self._deliver_backlog()
        self._rescan(folders)

    def _rescan(self, folders: Sequence[FolderRecord]) -> None:
        """Rescan folders for newer rules. `folders` has the state from the beginning of this sync."""
        version = self.desired.version
        if is_rescanned(folders, version, self._refused):
            # The rescan ended before this sync began, and this sync has read all changes since then. So emails that were
            # moved during the rescan are known, too.
            if self.desired.newly.looked_for < version:
                self.checkpoints.mark_rescanned()
            return
        rescan = Rescan(
            self.source,
            self.delivery,
            self.ledger,
            self.checkpoints,
            self.control,
            self._go_on_rescanning,
            self._prefilter,
            version,
            self._refused,
        )
        rescan.run(folders)

    def _go_on_rescanning(self) -> None:
        if not self.control.keep_going():
            raise SliceOver

    def _folders_in(self, order: FolderOrder) -> None:
        for folder in order.waiting:
            self._folder(folder)
        if order.unfinished:
            self._next_round()
            if backlog_comes_first(self.checkpoints.round()):
                self._deliver_backlog()
            for folder in order.unfinished:
                self._folder(folder)

    def _left_out(self) -> int:
        return left_out(self._refused, self.delivery.folders.keys())

    def _next_round(self) -> None:
        if not self._in_next_round:
            self.checkpoints.next_round()
            self._in_next_round = True

    def _deliver_backlog(self) -> None:
        def require_time() -> None:
            # Called only if the backlog is not empty. The next round begins before the work on the backlog, so that the
            # next sync begins with the folders even if that work fails.
            self._go_on()
            self._next_round()

        Backlog(self.source, self.delivery, self.ledger, require_time, self._refused | self._missing).run()

    # ---- the folder tree ------------------------------------------------------------------------------------------

    def _folders(self) -> None:
        cursor = self.checkpoints.folders_cursor()
        try:
            changes = self.source.folders(cursor)
        except CursorRefused:
            cursor = None
            changes = self.source.folders(None)
        self.checkpoints.record_folders(changes, complete=cursor is None)

    def _verdict(self, folder: FolderRecord) -> FilterVerdict:
        return folder_verdict(self.desired.rules, folder.path, folder.kinds)

    # ---- one folder, page by page ---------------------------------------------------------------------------------

    def _folder(self, folder: FolderRecord) -> None:
        cursor = folder.cursor if folder.wanted_digest == self.desired.digest else None
        if folder.cursor is not None and cursor is None:
            self.checkpoints.restart(folder.id)
        try:
            try:
                list_again = self._pages(folder, cursor)
            except CursorRefused:
                self.checkpoints.restart(folder.id)
                list_again = True
            if list_again:
                self._pages(folder, None)
        except FolderGone as error:
            self._not_found(folder, error)
            self._go_on()
        except FolderRefused as error:
            self._refuse(folder, error)
            self._go_on()
        except IntegrationError as error:
            if _may_be_folder(error) and ends_turn(self.checkpoints.round()):
                self._end_turn(folder)
            raise

    def _not_found(self, folder: FolderRecord, error: FolderGone) -> None:
        """Record that the server did not find a folder. The second time in a row, record the folder as refused.

        The folder may have been deleted a moment ago, which the next read of the tree shows. If the folder is still in
        the tree then, and still not found, the account has no right to read it.
        """
        if folder.not_found or folder.refused:
            self._refuse(folder, FolderNotFound(error.detail))
            return
        self.checkpoints.not_found(folder.id, wanted=self.desired.digest)
        self._missing.add(folder.id)
        self._pages_done += 1

    def _refuse(self, folder: FolderRecord, error: FolderRefused) -> None:
        is_wanted = folder.id not in self.delivery.folders
        self.checkpoints.refuse(folder.id, error, wanted=self.desired.digest, left_out=is_wanted)
        self._refused.add(folder.id)
        self._last_refusal = error
        self._pages_done += 1

    def _end_turn(self, folder: FolderRecord) -> None:
        self.checkpoints.end_turn(folder.id, wanted=self.desired.digest)
        self._pages_done += 1

    def _pages(self, folder: FolderRecord, before: Cursor | None) -> bool:
        """Read a folder to its end. Return whether the folder has to be listed again, because a change was not reported."""
        is_wanted = folder.id not in self.delivery.folders
        for page in self.source.changes(folder.id, before):
            self._progress_at_answer = self._progress()
            self._go_on()
            if page.changes:  # most polls report no change, and then no stored item has to be read
                self._page(folder, page)
            list_again = self.checkpoints.advance(
                folder.id, page, before=before, wanted=self.desired.digest, had_turn=is_wanted or page.last
            )
            self._refused.discard(folder.id)
            before = page.cursor
            self._pages_done += 1
            if page.changes:
                self._go_on()  # a delivery takes time: check for Stop and open circuit breakers before the next request
            else:
                self._stop_when_slice_is_over()
            if page.last:
                return list_again
        return False

    def _page(self, folder: FolderRecord, page: ChangePage) -> None:
        self.delivery.counts.listed += len(page.changes)
        fetch: list[Change] = []
        for place, changes in by_folder(folder, self._folders_by_id, page.changes):
            fetch += self._sorted(place, changes)
        if fetch:
            self._fetch(folder.id, fetch)

    def _sorted(self, folder: FolderRecord, changes: Sequence[Change]) -> Sequence[Change]:
        """Store the decisions on changes that need no fetch, and return the changes to fetch."""
        counts = self.delivery.counts
        sorted_page = sort_page(changes, self._prefilter(folder, changes))
        # Adopt before forgetting: the old id of an adopted item may be among the ids to forget.
        self.ledger.adopt(sorted_page.adopt)
        self.ledger.forget(folder.id, sorted_page.forget)
        self.ledger.remember([self._rejected_item(change, verdict) for change, verdict in sorted_page.turned_away])
        self.ledger.withhold([found_record(self.delivery, change, version) for change, version in sorted_page.withheld])
        counts.not_wanted += len(sorted_page.turned_away)
        counts.unchanged += sorted_page.unchanged + len(sorted_page.adopt)
        return sorted_page.fetch

    def _prefilter(self, folder: FolderRecord, changes: Sequence[Change]) -> Prefilter:
        known = self.ledger.known(folder.id, changes)
        return Prefilter(
            self._verdict(folder), self.desired.rules, self.desired.digest, known, folder, self.desired.newly
        )

    def _rejected_item(self, change: Change, verdict: FilterVerdict) -> ItemRecord:
        return self.delivery.item_record(change, verdict=verdict, comment_id=None)

    def _fetch(self, folder: FolderId, changes: Sequence[Change]) -> None:
        attempt = self.checkpoints.begin(folder)
        try:
            if attempt.number > ISOLATE_AFTER:
                self._isolated_delivery().run(folder, changes, attempt)
            else:
                self._in_batches(changes)
        except IntegrationError as error:
            if not error.may_be_item:
                self.checkpoints.uncount_attempt(folder)
            raise
        except SliceOver:
            self.checkpoints.uncount_attempt(folder)
            raise

    def _in_batches(self, changes: Sequence[Change]) -> None:
        for batch in self.delivery.sizes.fetch_batches(changes):
            self._go_on()
            gone = self.delivery.deliver(self.source.fetch(batch))
            if gone:
                self.ledger.record_vanished(gone)

    def _isolated_delivery(self) -> IsolatedDelivery:
        return IsolatedDelivery(self.source, self.delivery, self.ledger, self.checkpoints, self._go_on)

    def _go_on(self) -> None:
        if not self.control.keep_going():
            raise SliceOver
        self._stop_when_slice_is_over()

    def _stop_when_slice_is_over(self) -> None:
        if self._progress() > self._progress_at_answer and not self.control.has_time():
            raise SliceOver

    def _progress(self) -> int:
        """Return a number that grows with every page and every batch."""
        return self._pages_done + self.delivery.done


def _may_be_folder(error: IntegrationError) -> bool:
    """Return whether the other folders of the mailbox may be readable despite this error."""
    if error.scope is Scope.MAILBOX:
        return error.may_be_item or isinstance(error, Refused)
    return error.scope is Scope.FOLDER
