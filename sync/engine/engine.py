"""The sentence: a source reports what changed, a transform makes comments, a sink takes them, and then, only then, the
checkpoint moves.

A sync lasts one slice of time and ends somewhere in the middle of a large mailbox; `sync.engine.folder_order` says
which folder comes next.
Time ends a sync only after a page or a batch of emails is through, so every slice gets further, however short it is, and what a
request answered is not thrown away because it took long. Stop, a lost lease, a hold, a used-up budget and a worker that has to
leave end it before that.

Pure: all effects go through the ports it is given, so the same code runs over Exchange and PostgreSQL, and over fakes
that die at every step. What a single email goes through is in `sync.engine.delivery`.
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
from sync.engine.change_locations import by_place
from sync.engine.delivery import EmailDelivery
from sync.engine.folder_order import FolderOrder, hands_over, leftovers_come_first, turns
from sync.engine.folder_refusals import is_of_mailbox, left_out, to_try
from sync.engine.isolation import CAREFUL_AFTER, IsolatedDelivery
from sync.engine.newly_wanted import Newly
from sync.engine.ports import Checkpoints, Control, Ledger, SliceOver
from sync.engine.prefilter import Prefilter, sort_page
from sync.engine.records import FolderRecord, ItemRecord, Report
from sync.engine.rescan import Rescan, found, is_looked_through


@dataclass(frozen=True, slots=True)
class DesiredMail:
    """What this mailbox wants, and the digest of it."""

    rules: Rules
    digest: str
    version: int = 1
    """Of the fixed rules."""
    newly: Newly = field(default_factory=Newly)
    """What of them has to wait for an answer."""


@dataclass(slots=True)
class Engine:
    """One sync of one mailbox."""

    source: Source
    delivery: EmailDelivery
    ledger: Ledger
    checkpoints: Checkpoints
    control: Control
    wishes: DesiredMail
    _pages_done: int = field(default=0, init=False)
    _owed: int = field(default=0, init=False)
    """How much was done when the request in hand was answered: time does not end the sync before it is more."""
    _in_next_round: bool = field(default=False, init=False)
    _places: Mapping[FolderId, FolderRecord] = field(default_factory=dict, init=False)
    """The folders that hold mail and are there."""
    _refused: set[FolderId] = field(default_factory=set, init=False)
    """Folders that could not be read when they were last tried, by this sync or one before."""
    _missing: set[FolderId] = field(default_factory=set, init=False)
    """Folders that were not to be found in this sync, for the first time: deleted a moment ago, or not to be read."""
    _last_refusal: FolderRefused | None = field(default=None, init=False)

    def run(self) -> Report:
        """Bring everything that changed to the sink. Raises what the ports raise; nothing is lost then."""
        try:
            self._folders()
            folders = self.checkpoints.folders()
            verdicts = {folder.id: self._verdict(folder) for folder in folders}
            self.delivery.folders = {
                folder: verdict for folder, verdict in verdicts.items() if verdict is not FilterVerdict.WANTED
            }
            self._places = {folder.id: folder for folder in folders}
            self.delivery.kinds = {folder.id: folder.kind for folder in folders}
            self._refused = {folder.id for folder in folders if folder.refused}
            self._in_turn(folders)
        except SliceOver:
            return Report(finished=False, stopped=self.control.stopped(), counts=self.delivery.counts)
        looking = self.wishes.newly.looked_for < self.wishes.version
        return Report(finished=True, left_out=self._left_out(), looking=looking, counts=self.delivery.counts)

    def _in_turn(self, folders: Sequence[FolderRecord]) -> None:
        """Everything that has its turn now, in the order of `sync.engine.folder_order`, without the folders that wait
        for their next try."""
        followed, digest = self.delivery.folders.keys(), self.wishes.digest
        order = turns(to_try(folders, digest), followed, digest, self.checkpoints.round())
        self._folders_in(order)
        if self._last_refusal is not None and is_of_mailbox(folders, self._refused, followed):
            self.checkpoints.none_is_left_out()
            raise self._last_refusal.of_mailbox from self._last_refusal
        if not self._left_out() and not self._missing:
            self.ledger.forget_former()
        self._leftovers()
        self._look_through(folders)

    def _look_through(self, folders: Sequence[FolderRecord]) -> None:
        """`folders`: as they were when this sync began."""
        version = self.wishes.version
        if is_looked_through(folders, version, self._refused):
            # And since they were, this sync has followed every change: what was moved meanwhile is known, too.
            if self.wishes.newly.looked_for < version:
                self.checkpoints.looked_through()
            return
        Rescan(
            self.source, self.delivery, self.ledger, self.checkpoints, self.control, self._go_on_looking, self._gate,
            version, self._refused,
        ).run(folders)  # fmt: skip

    def _go_on_looking(self) -> None:
        if not self.control.keep_going():
            raise SliceOver

    def _folders_in(self, order: FolderOrder) -> None:
        for folder in order.waiting:
            self._folder(folder)
        if order.unfinished:
            self._next_round()
            if leftovers_come_first(self.checkpoints.round()):
                self._leftovers()
            for folder in order.unfinished:
                self._folder(folder)

    def _left_out(self) -> int:
        return left_out(self._refused, self.delivery.folders.keys())

    def _next_round(self) -> None:
        if not self._in_next_round:
            self.checkpoints.next_round()
            self._in_next_round = True

    def _leftovers(self) -> None:
        def go_on() -> None:
            # Only where there is something to do. Whatever comes of it, the next sync begins with the folders.
            self._go_on()
            self._next_round()

        Backlog(self.source, self.delivery, self.ledger, go_on, self._refused | self._missing).run()

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
        return folder_verdict(self.wishes.rules, folder.path, folder.kinds)

    # ---- one folder, page by page ---------------------------------------------------------------------------------

    def _folder(self, folder: FolderRecord) -> None:
        cursor = folder.cursor if folder.wanted_digest == self.wishes.digest else None
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
            if _may_be_folder(error) and hands_over(self.checkpoints.round()):
                self._end_turn(folder)
            raise

    def _not_found(self, folder: FolderRecord, error: FolderGone) -> None:
        """When the server says so once, the folder may have been deleted a moment ago, which the next look at the tree tells. A
        folder that is still in the tree then, and still not found, cannot be read."""
        if folder.not_found or folder.refused:
            self._refuse(folder, FolderNotFound(error.detail))
            return
        self.checkpoints.not_found(folder.id, wanted=self.wishes.digest)
        self._missing.add(folder.id)
        self._pages_done += 1

    def _refuse(self, folder: FolderRecord, error: FolderRefused) -> None:
        is_wanted = folder.id not in self.delivery.folders
        self.checkpoints.refuse(folder.id, error, wanted=self.wishes.digest, left_out=is_wanted)
        self._refused.add(folder.id)
        self._last_refusal = error
        self._pages_done += 1

    def _end_turn(self, folder: FolderRecord) -> None:
        self.checkpoints.end_turn(folder.id, wanted=self.wishes.digest)
        self._pages_done += 1

    def _pages(self, folder: FolderRecord, before: Cursor | None) -> bool:
        """Read a folder to its end. Whether it has to be listed again, for a change that was not told."""
        is_wanted = folder.id not in self.delivery.folders
        for page in self.source.changes(folder.id, before):
            self._owed = self._done()
            self._go_on()
            if page.changes:  # most polls tell nothing, and then nothing has to be looked up either
                self._page(folder, page)
            list_again = self.checkpoints.advance(
                folder.id, page, before=before, wanted=self.wishes.digest, had_turn=is_wanted or page.last
            )
            self._refused.discard(folder.id)
            before = page.cursor
            self._pages_done += 1
            if page.changes:
                self._go_on()  # delivering took its time: what another worker met meanwhile holds before the next request
            else:
                self._stop_in_time()
            if page.last:
                return list_again
        return False

    def _page(self, folder: FolderRecord, page: ChangePage) -> None:
        self.delivery.counts.listed += len(page.changes)
        fetch: list[Change] = []
        for place, changes in by_place(folder, self._places, page.changes):
            fetch += self._sorted(place, changes)
        if fetch:
            self._fetch(folder.id, fetch)

    def _sorted(self, folder: FolderRecord, changes: Sequence[Change]) -> Sequence[Change]:
        """Settle what is to be settled without fetching; return what is to be fetched."""
        counts = self.delivery.counts
        sorted_page = sort_page(changes, self._gate(folder, changes))
        # First who goes on under a new id: the old one may be among those that are to be forgotten.
        self.ledger.adopt(sorted_page.adopt)
        self.ledger.forget(folder.id, sorted_page.forget)
        self.ledger.remember([self._away(change, verdict) for change, verdict in sorted_page.turned_away])
        self.ledger.withhold([found(self.delivery, change, version) for change, version in sorted_page.withheld])
        counts.not_wanted += len(sorted_page.turned_away)
        counts.unchanged += sorted_page.unchanged + len(sorted_page.adopt)
        return sorted_page.fetch

    def _gate(self, folder: FolderRecord, changes: Sequence[Change]) -> Prefilter:
        known = self.ledger.known(folder.id, changes)
        return Prefilter(self._verdict(folder), self.wishes.rules, self.wishes.digest, known, folder, self.wishes.newly)

    def _away(self, change: Change, verdict: FilterVerdict) -> ItemRecord:
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

    def _careful(self) -> IsolatedDelivery:
        return IsolatedDelivery(self.source, self.delivery, self.ledger, self.checkpoints, self._go_on)

    def _go_on(self) -> None:
        if not self.control.keep_going():
            raise SliceOver
        self._stop_in_time()

    def _stop_in_time(self) -> None:
        if self._done() > self._owed and not self.control.has_time():
            raise SliceOver

    def _done(self) -> int:
        """Grows whenever something moves."""
        return self._pages_done + self.delivery.done


def _may_be_folder(error: IntegrationError) -> bool:
    """Whether the other folders of the mailbox may well be free of it."""
    if error.scope is Scope.MAILBOX:
        return error.may_be_item or isinstance(error, Refused)
    return error.scope is Scope.FOLDER
