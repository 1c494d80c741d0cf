"""Isolation of a failing email: emails of a page are delivered one by one after the page ended several syncs.

Attempts are counted before the work, and the item in hand is stored before it is processed. So an email that ends the
worker process (out of memory, a crash in a library) is found as well.
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

ISOLATE_AFTER = 3
GIVE_UP_AFTER = 6
IN_A_ROW = 3
"""After this many failures from the start, with no success, no single email is at fault."""


@dataclass(slots=True)
class IsolatedDelivery:
    """Delivers the emails of one page one by one.

    Attributes:
        source: The mailbox.
        delivery: The delivery to the bucket.
        ledger: The ledger of the bucket.
        checkpoints: The checkpoints of the mailbox.
        go_on: Raises `SliceOver` when the sync has to end.
    """

    source: Source
    delivery: EmailDelivery
    ledger: Ledger
    checkpoints: Checkpoints
    go_on: Callable[[], None]

    def run(self, folder: FolderId, changes: Sequence[Change], attempt: PageAttempt) -> None:
        """Deliver each email by itself; record as dead letters those that fail while others pass.

        Args:
            folder: The folder of the page.
            changes: The emails.
            attempt: The number of the attempt, and the item at which the attempt before it ended.

        Raises:
            IntegrationError: No email passes, so the source or the sink is at fault.
            SliceOver: The sync has to end.
            LeaseLost: Another worker has the mailbox.
        """
        failed: list[tuple[Change, IntegrationError]] = []
        passed = False
        for change in changes:
            self.go_on()
            if attempt.number > GIVE_UP_AFTER and change.item_id == attempt.item_in_hand:
                self.delivery.dead_letter(DeadLetterRecord(change, DeadLetterKind.ENDED_WORKERS))
                continue
            self.checkpoints.record_item_in_hand(folder, change.item_id)
            try:
                gone = self.delivery.deliver(self.source.fetch([change]))
                if gone:
                    self.ledger.record_vanished(gone)
                passed = True
            except IntegrationError as error:
                if not error.may_be_item:
                    raise
                failed.append((change, error))
                if not passed and len(failed) >= IN_A_ROW:
                    raise
            if passed:
                # At once: the slice may end before the page does, and the next one must not wait for the same email
                # again.
                self._add_dead_letters(failed)
                failed = []
        if failed:
            self._without_neighbours(failed, attempt)
            self._add_dead_letters(failed)

    def _without_neighbours(self, failed: Sequence[tuple[Change, IntegrationError]], attempt: PageAttempt) -> None:
        """Require that both sides work without the failed emails, when there is no other email to compare with."""
        if attempt.number <= GIVE_UP_AFTER:
            raise failed[-1][1]
        self.source.check()
        self.delivery.sink.check()

    def _add_dead_letters(self, failed: Sequence[tuple[Change, IntegrationError]]) -> None:
        for change, error in failed:
            self.delivery.blame(change, error)
