"""What earlier syncs left behind: entries whose properties must be sent again, emails that were set aside, and intentions
that no email leads back to.

One of them may be an email over which a server falls every time, and it must not end every sync: so what fails is tried
once more by itself, and then set aside while its neighbours pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from integrations.errors import IntegrationError
from integrations.messages import Change
from integrations.ports import Source
from sync.breaker import Breaker
from sync.careful import IN_A_ROW
from sync.delivery import Delivery
from sync.ports import Ledger

AT_ONCE = 50
MOST_PER_RUN = 500


@dataclass(slots=True)
class Leftovers:
    source: Source
    delivery: Delivery
    ledger: Ledger
    go_on: Callable[[], None]
    """Raises when the slice of time is over."""

    def run(self) -> None:
        """After all folders. Raises what the ports raise when nothing passes: then the fault is theirs."""
        # That emails are refused which were refused before says nothing new.
        self.delivery.breaker = Breaker(pardoned=True)
        self.ledger.forget_former()
        self._dirty()
        self._set_aside()
        self._unsettled()

    def _dirty(self) -> None:
        """Properties that need to be sent again: a folder was renamed, a confirmation came too late."""
        for batch in self.delivery.sizes.fetch_batches(self.ledger.dirty(MOST_PER_RUN)):
            self.go_on()
            for change in self._delivered(batch):
                self.ledger.abandon(change.item_id)

    def _set_aside(self) -> None:
        done = 0
        while done < MOST_PER_RUN and (due := self.ledger.due_again(AT_ONCE)):
            done += len(due)
            gone = self._one_by_one(due)
            if gone:
                self.ledger.vanished(gone)

    def _unsettled(self) -> None:
        """The worker that intended them died, and their emails are gone: the bucket knows whether they arrived."""
        ids = self.ledger.unsettled(AT_ONCE)
        if ids:
            self.go_on()
            self.ledger.conclude(ids, self.delivery.sink.stored(ids))

    def _delivered(self, batch: Sequence[Change]) -> list[Change]:
        try:
            return self.delivery.deliver(self.source.fetch(batch))
        except IntegrationError as error:
            if not error.may_be_item:
                raise
        return self._one_by_one(batch)

    def _one_by_one(self, changes: Sequence[Change]) -> list[Change]:
        """Those that are gone. What fails is set aside, with its next try later; several in a row are no email's fault."""
        gone: list[Change] = []
        in_a_row = 0
        for change in changes:
            self.go_on()
            try:
                gone += self._twice(change)
                in_a_row = 0
            except IntegrationError as error:
                in_a_row += 1
                if not error.may_be_item or in_a_row >= IN_A_ROW:
                    raise
                self.delivery.blame(change, error)
        return gone

    def _twice(self, change: Change) -> list[Change]:
        """Once more when it fails: most faults pass, and are no reason to set anything aside."""
        try:
            return self.delivery.deliver(self.source.fetch([change]))
        except IntegrationError as error:
            if not error.may_be_item:
                raise
        return self.delivery.deliver(self.source.fetch([change]))
