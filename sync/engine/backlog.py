"""What earlier syncs left behind: entries whose properties must be sent again, emails that were set aside, intentions that no
email leads back to, and emails that newer rules want and that an admin had brought.

One of them may be an email over which a server falls every time, and it must not end every sync: so what fails is tried
once more by itself, and then set aside while its neighbours pass.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from conversion.identity import listed_comment_id
from integrations.dead_letter_reasons import DeadLetterKind
from integrations.errors import IntegrationError
from integrations.messages import Change, FolderId, FolderKind
from integrations.ports import Source
from mailboxes.rules import FilterVerdict, item_verdict
from sync.engine.circuit_breaker import BreakerWindow
from sync.engine.delivery import EmailDelivery
from sync.engine.isolation import CAREFUL_AFTER, GIVE_UP_AFTER, IN_A_ROW
from sync.engine.ports import Ledger, SliceOver
from sync.engine.records import AnsweredEmail, DeadLetterRecord

AT_ONCE = 50
MOST_PER_RUN = 500


@dataclass(slots=True)
class Backlog:
    source: Source
    delivery: EmailDelivery
    ledger: Ledger
    go_on: Callable[[], None]
    """Raises when the slice of time is over."""
    refused: Collection[FolderId] = ()
    """Folders that cannot be read: what lies in them waits until they can, as no email there is to blame."""

    def run(self) -> None:
        """When every folder had its turn. Raises what the ports raise when nothing passes: then the fault is theirs."""
        self._dirty()
        breaker = self.delivery.breaker
        try:
            # That emails are refused which were refused before says nothing new.
            self.delivery.breaker = BreakerWindow(pardoned=True)
            self._set_aside()
        finally:
            self.delivery.breaker = breaker
        self._unsettled()
        self._brought()

    def _dirty(self) -> None:
        """Properties that need to be sent again: a folder was renamed, a confirmation came too late."""
        for batch in self.delivery.sizes.fetch_batches(self.ledger.dirty(MOST_PER_RUN, apart_from=self.refused)):
            self.go_on()
            gone = self._delivered(batch)
            if gone:
                self.ledger.vanished(gone)  # most were moved or deleted, and their folders tell

    def _set_aside(self) -> None:
        done = 0
        while done < MOST_PER_RUN and (due := self.ledger.due_again(AT_ONCE, apart_from=self.refused)):
            done += len(due)
            gone = self._one_by_one(self._wanted(due), again=True)
            if gone:
                self.ledger.vanished(gone)

    def _wanted(self, due: Sequence[Change]) -> list[Change]:
        """Those that are still wanted, by what is known of them without fetching. What the bucket holds already is followed."""
        listed = {change.item_id: listed_comment_id(change.message_id) for change in due}
        there = self.ledger.entries([comment_id for comment_id in listed.values() if comment_id])
        wanted, away = [], []
        for change in due:
            kind = self.delivery.kinds.get(change.folder_id, FolderKind.ORDINARY)
            verdict = item_verdict(self.delivery.rules, change, kind)
            if verdict is FilterVerdict.WANTED or listed[change.item_id] in there:
                wanted.append(change)
            else:
                away.append(self.delivery.copy(change, verdict=verdict, comment_id=None))
        self.ledger.remember(away)
        return wanted

    def _unsettled(self) -> None:
        """The worker that intended them died, and their emails are gone: the bucket knows whether they arrived."""
        ids = self.ledger.unsettled(AT_ONCE)
        if ids:
            self.go_on()
            self.ledger.conclude(ids, self.delivery.sink.stored(ids))

    def _brought(self) -> None:
        """One that was tried several times without a word may be what ends workers: it is tried alone, and then set aside."""
        while due := self.ledger.brought(AT_ONCE, apart_from=self.refused):
            for batch in self.delivery.sizes.fetch_batches([it.change for it in due if it.attempts < CAREFUL_AFTER]):
                self._bring(batch, due)
            for it in due:
                if it.attempts >= GIVE_UP_AFTER:
                    self.delivery.set_aside(DeadLetterRecord(it.change, DeadLetterKind.ENDED_WORKERS))
                elif it.attempts >= CAREFUL_AFTER:
                    self._bring([it.change], due)

    def _bring(self, batch: Sequence[Change], due: Sequence[AnsweredEmail]) -> None:
        items = {change.item_id for change in batch}
        keys = [it.key for it in due if it.change.item_id in items]
        self.go_on()
        self.ledger.bringing(keys)
        try:
            gone = self._delivered(self._wanted(batch))
        except (IntegrationError, SliceOver):
            self.ledger.not_brought(keys)
            raise
        if gone:
            self.ledger.vanished(gone)

    def _delivered(self, batch: Sequence[Change]) -> list[Change]:
        try:
            return self.delivery.deliver(self.source.fetch(batch))
        except IntegrationError as error:
            if not error.may_be_item:
                raise
        return self._one_by_one(batch)

    def _one_by_one(self, changes: Sequence[Change], *, again: bool = False) -> list[Change]:
        """Those that are gone. What fails is set aside, with its next try later; several in a row are no email's fault.

        `again`: they are set aside already. Each is counted before it is tried, as it may be what ends workers.
        """
        gone: list[Change] = []
        in_a_row = 0
        for change in changes:
            self.go_on()
            if again:
                self.ledger.trying(change.item_id)
            try:
                gone += self._twice(change)
                in_a_row = 0
            except IntegrationError as error:
                in_a_row += 1
                try:
                    self._is_its_fault(error, in_a_row)
                except IntegrationError:
                    if again:
                        self.ledger.not_tried(change.item_id)
                    raise
                self.delivery.blame(change, error)
        return gone

    def _is_its_fault(self, error: IntegrationError, in_a_row: int) -> None:
        """Raises where it is not: of several in a row, or while a side is not well without it."""
        if not error.may_be_item or in_a_row >= IN_A_ROW:
            raise error
        self.source.check()
        self.delivery.sink.check()

    def _twice(self, change: Change) -> list[Change]:
        """Once more when it fails: most faults pass, and are no reason to set anything aside."""
        try:
            return self.delivery.deliver(self.source.fetch([change]))
        except IntegrationError as error:
            if not error.may_be_item:
                raise
        return self.delivery.deliver(self.source.fetch([change]))
