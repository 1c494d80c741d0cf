"""Isolation of a failing email: after three failed attempts at a page, its emails are delivered one by one.

Attempts are counted before they begin, and the id of the next item is stored before the item is processed. So an email
that crashes the worker process (out of memory, a crash in a library) is found as well.
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
"""After this many attempts at a page, its emails are delivered one by one."""
GIVE_UP_AFTER = 6
"""After this many attempts, the email at which the last attempt ended becomes a dead letter."""
IN_A_ROW = 3
"""If this many emails fail one after the other, no single email is at fault. In the isolation of a page, this applies
only until one of its emails is delivered."""


@dataclass(slots=True)
class IsolatedDelivery:
    """Delivers the emails of one page one by one.

    Attributes:
        source: The mailbox.
        delivery: The delivery to the bucket.
        ledger: The ledger of the bucket.
        checkpoints: The checkpoints of the mailbox.
        require_time: Raises `SliceOver` when the sync has to end.
    """

    source: Source
    delivery: EmailDelivery
    ledger: Ledger
    checkpoints: Checkpoints
    require_time: Callable[[], None]

    def run(self, folder: FolderId, changes: Sequence[Change], attempt: PageAttempt) -> None:
        """Deliver each email alone. Emails that fail become dead letters, if another email of the page is delivered.

        A page with fewer than `IN_A_ROW` emails may fail completely. Its emails become dead letters only after
        `GIVE_UP_AFTER` attempts at the page, and only if the source and the sink work.

        Args:
            folder: The folder of the page.
            changes: The emails.
            attempt: The number of the attempt, and the item at which an earlier attempt ended.

        Raises:
            IntegrationError: The error is not the fault of a single email, or no email was delivered.
            SliceOver: The sync has to end.
            LeaseLost: Another worker holds the lease.
        """
        failed: list[tuple[Change, IntegrationError]] = []
        passed = False
        for change in changes:
            self.require_time()
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
                # Do not wait for the end of the page: if the slice ended earlier, the next slice would try the same
                # emails again.
                self._add_dead_letters(failed)
                failed = []
        if failed:
            self._require_both_sides(failed, attempt)
            self._add_dead_letters(failed)

    def _require_both_sides(self, failed: Sequence[tuple[Change, IntegrationError]], attempt: PageAttempt) -> None:
        """Require that the source and the sink work. Called if no other email of the page was delivered.

        Up to attempt `GIVE_UP_AFTER`, raise the error of the last failed email instead.
        """
        if attempt.number <= GIVE_UP_AFTER:
            raise failed[-1][1]
        self.source.check()
        self.delivery.sink.check()

    def _add_dead_letters(self, failed: Sequence[tuple[Change, IntegrationError]]) -> None:
        for change, error in failed:
            self.delivery.fail_after_error(change, error)
