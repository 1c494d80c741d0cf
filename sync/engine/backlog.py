"""The backlog: the unfinished work of earlier syncs, except the listing of folders.

It has four parts: dirty entries, whose properties have to be pushed again; dead letters whose retry is due; intentions
that were never confirmed although their push has certainly ended; newly wanted emails that may be delivered now.

An email of the backlog may cause a server error at each attempt. Such an email must not end every sync. So the emails of
a failed batch are delivered one by one, and an email that fails is retried once. If the retry fails too, although the
source and the sink work, the email is recorded as a dead letter.
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
from sync.engine.isolation import GIVE_UP_AFTER, IN_A_ROW, ISOLATE_AFTER
from sync.engine.ports import Ledger, SliceOver
from sync.engine.records import AnsweredEmail, DeadLetterRecord

BATCH_SIZE = 50
MAX_PER_RUN = 500


@dataclass(slots=True)
class Backlog:
    """Works through the backlog of one mailbox."""

    source: Source
    delivery: EmailDelivery
    ledger: Ledger
    require_time: Callable[[], None]
    """Raises `SliceOver` when the sync has to end."""
    refused: Collection[FolderId] = ()
    """Folders that cannot be read. The backlog skips their emails until the folder can be read again."""

    def run(self) -> None:
        """Work through the backlog. Call it when every folder has had its turn in the current round.

        Raises:
            IntegrationError: The error is not the fault of a single email.
            SliceOver: The sync has to end.
            LeaseLost: Another worker holds the lease.
        """
        self._dirty()
        breaker = self.delivery.breaker
        try:
            # Dead letters failed before. Another refusal of them is no evidence against the bucket, so the circuit
            # breaker must not count such refusals.
            self.delivery.breaker = BreakerWindow(pardoned=True)
            self._retry_dead_letters()
        finally:
            self.delivery.breaker = breaker
        self._unsettled()
        self._newly_wanted()

    def _dirty(self) -> None:
        """Push the properties of dirty entries, for example after a folder was renamed or a confirmation came too late."""
        for batch in self.delivery.sizes.fetch_batches(self.ledger.dirty(MAX_PER_RUN, apart_from=self.refused)):
            self.require_time()
            gone = self._delivered(batch)
            if gone:
                self.ledger.record_vanished(gone)  # usually moved or deleted: their folders report that later

    def _retry_dead_letters(self) -> None:
        done = 0
        while done < MAX_PER_RUN and (due := self.ledger.due_dead_letters(BATCH_SIZE, apart_from=self.refused)):
            done += len(due)
            gone = self._one_by_one(self._wanted(due), dead_letters=True)
            if gone:
                self.ledger.record_vanished(gone)

    def _wanted(self, due: Sequence[Change]) -> list[Change]:
        """Return the emails that are still wanted, as far as is known without a fetch. Store the verdicts on the others.

        The returned emails include every email whose comment has a ledger entry, because the properties of such a
        comment are kept up to date.
        """
        listed = {change.item_id: listed_comment_id(change.message_id) for change in due}
        in_bucket = self.ledger.entries([comment_id for comment_id in listed.values() if comment_id])
        wanted, rejected = [], []
        for change in due:
            kind = self.delivery.kinds.get(change.folder_id, FolderKind.ORDINARY)
            verdict = item_verdict(self.delivery.rules, change, kind)
            if verdict is FilterVerdict.WANTED or listed[change.item_id] in in_bucket:
                wanted.append(change)
            else:
                rejected.append(self.delivery.item_record(change, verdict=verdict, comment_id=None))
        self.ledger.remember(rejected)
        return wanted

    def _unsettled(self) -> None:
        """Ask the bucket whether the comments of unconfirmed intentions arrived, and settle the intentions."""
        ids = self.ledger.unsettled(BATCH_SIZE)
        if ids:
            self.require_time()
            self.ledger.conclude(ids, self.delivery.sink.stored(ids))

    def _newly_wanted(self) -> None:
        """Deliver newly wanted emails.

        An email with several attempts and no recorded result may be crashing the worker process. It is then delivered
        alone, and after more attempts it is recorded as a dead letter.
        """
        while due := self.ledger.deliverable(BATCH_SIZE, apart_from=self.refused):
            for batch in self.delivery.sizes.fetch_batches(
                [answered.change for answered in due if answered.attempts < ISOLATE_AFTER]
            ):
                self._deliver_answered(batch, due)
            for answered in due:
                if answered.attempts >= GIVE_UP_AFTER:
                    self.delivery.dead_letter(DeadLetterRecord(answered.change, DeadLetterKind.ENDED_WORKERS))
                elif answered.attempts >= ISOLATE_AFTER:
                    self._deliver_answered([answered.change], due)

    def _deliver_answered(self, batch: Sequence[Change], due: Sequence[AnsweredEmail]) -> None:
        items = {change.item_id for change in batch}
        keys = [answered.key for answered in due if answered.change.item_id in items]
        self.require_time()
        self.ledger.begin_delivery(keys)
        try:
            gone = self._delivered(self._wanted(batch))
        except (IntegrationError, SliceOver):
            self.ledger.undo_delivery(keys)
            raise
        if gone:
            self.ledger.record_vanished(gone)

    def _delivered(self, batch: Sequence[Change]) -> list[Change]:
        try:
            return self.delivery.deliver(self.source.fetch(batch))
        except IntegrationError as error:
            if not error.may_be_item:
                raise
        return self._one_by_one(batch)

    def _one_by_one(self, changes: Sequence[Change], *, dead_letters: bool = False) -> list[Change]:
        """Deliver emails one by one; return those that are gone.

        A failing email is recorded as a dead letter, which is retried later. When `IN_A_ROW` emails fail in a row, the
        error of the last email is raised instead, because no single email is at fault.

        `dead_letters`: the emails are dead letters already. Each retry is counted before it begins, because the email
        may crash the worker.
        """
        gone: list[Change] = []
        in_a_row = 0
        for change in changes:
            self.require_time()
            if dead_letters:
                self.ledger.begin_retry(change.item_id)
            try:
                gone += self._deliver_with_retry(change)
                in_a_row = 0
            except IntegrationError as error:
                in_a_row += 1
                try:
                    self._require_item_fault(error, in_a_row)
                except IntegrationError:
                    if dead_letters:
                        self.ledger.undo_retry(change.item_id)
                    raise
                self.delivery.fail_after_error(change, error)
        return gone

    def _require_item_fault(self, error: IntegrationError, in_a_row: int) -> None:
        """Raise an error if the email is not at fault.

        The email is not at fault if no email can cause the error, if `IN_A_ROW` emails fail in a row, or if the source or
        the sink also fails without the email.
        """
        if not error.may_be_item or in_a_row >= IN_A_ROW:
            raise error
        self.source.check()
        self.delivery.sink.check()

    def _deliver_with_retry(self, change: Change) -> list[Change]:
        """Deliver one email. Retry it once if the email may have caused the error, because most errors are temporary."""
        try:
            return self.delivery.deliver(self.source.fetch([change]))
        except IntegrationError as error:
            if not error.may_be_item:
                raise
        return self.delivery.deliver(self.source.fetch([change]))
