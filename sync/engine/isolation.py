"""One email at a time: what a page is tried with after it ended several syncs, to find the email that is to blame.

Attempts are counted before the work, so an email that kills the worker outright (out of memory, a crash in a library)
is found as well: the item in hand is noted before it is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from integrations.dead_letter_reasons import DeadLetterKind
from integrations.errors import IntegrationError
from integrations.messages import Change, FolderId
from integrations.ports import Source
from sync.engine.delivery import EmailDelivery
from sync.engine.ports import Checkpoints, Ledger
from sync.engine.records import DeadLetterRecord, PageAttempt

CAREFUL_AFTER = 3
GIVE_UP_AFTER = 6
IN_A_ROW = 3
"""So many failures from the start with nothing passing are the fault of no single email."""


@dataclass(slots=True)
class IsolatedDelivery:
    source: Source
    delivery: EmailDelivery
    ledger: Ledger
    checkpoints: Checkpoints
    go_on: Callable[[], None]

    def run(self, folder: FolderId, changes: Sequence[Change], attempt: PageAttempt) -> None:
        """Deliver each email by itself; set aside those that fail while their neighbours pass.

        Raises the error of the ports when nothing passes: then the fault is theirs.
        """
        failed: list[tuple[Change, IntegrationError]] = []
        passed = False
        for change in changes:
            self.go_on()
            if attempt.number > GIVE_UP_AFTER and change.item_id == attempt.item_in_hand:
                self.delivery.set_aside(DeadLetterRecord(change, DeadLetterKind.ENDED_WORKERS))
                continue
            self.checkpoints.hold(folder, change.item_id)
            try:
                gone = self.delivery.deliver(self.source.fetch([change]))
                if gone:
                    self.ledger.vanished(gone)
                passed = True
            except IntegrationError as error:
                if not error.may_be_item:
                    raise
                failed.append((change, error))
                if not passed and len(failed) >= IN_A_ROW:
                    raise
            if passed:
                # At once: the slice may end before the page does, and the next one must not wait for the same email again.
                self._blame(failed)
                failed = []
        if failed:
            self._without_neighbours(failed, attempt)
            self._blame(failed)

    def _without_neighbours(self, failed: Sequence[tuple[Change, IntegrationError]], attempt: PageAttempt) -> None:
        """No other email to compare with: it is the email's fault if both sides are well without it."""
        if attempt.number <= GIVE_UP_AFTER:
            raise failed[-1][1]
        self.source.check()
        self.delivery.sink.check()

    def _blame(self, failed: Sequence[tuple[Change, IntegrationError]]) -> None:
        for change, error in failed:
            self.delivery.blame(change, error)
