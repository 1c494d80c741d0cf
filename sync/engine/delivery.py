"""Delivery of fetched emails: convert, filter, reconcile, write intentions, push, confirm.

The order matters. If a worker process ends between two steps, the next attempt finds either nothing, or a stored
intention. For an intention, the next attempt asks the bucket whether the comment arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from conversion.identity import listed_comment_id
from conversion.mime.head import field_names
from conversion.transform import Converted, NotConvertible
from integrations.dead_letter_reasons import DeadLetterKind
from integrations.errors import Contended, IntegrationError, ReinferNotStored, Side
from integrations.messages import (
    Change,
    Comment,
    CommentId,
    Email,
    Fetched,
    FolderId,
    FolderKind,
    Gone,
    Receipt,
    Unreadable,
)
from integrations.ports import Sink
from mailboxes.rules import FilterVerdict, Rules, draft_verdict, participants_verdict
from sync.engine.batches import batches
from sync.engine.circuit_breaker import ACCEPTED, REFUSED, BreakerWindow
from sync.engine.foreign_ids import is_foreign
from sync.engine.latency import longer, no_latency
from sync.engine.ports import Control, Ledger, SliceOver
from sync.engine.reconcile import (
    Adopt,
    BucketAnswer,
    Create,
    Decision,
    Plain,
    Update,
    content_digest,
    identity_digest,
    properties_digest,
    reconcile,
)
from sync.engine.records import (
    DELIVERED,
    ConfirmedEntry,
    DeadLetterRecord,
    Intention,
    ItemRecord,
    LedgerRecord,
    PushResult,
    RunCounts,
)

MAX_ROUNDS = 4
"""Maximum number of attempts at a batch of comments. A comment is attempted again if another sync changed its ledger
entry, or if the response to the push does not show whether the comment was stored. After the last attempt, the sync
fails and is retried."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Limits of one fetch and of one push. An email or comment that is larger than a limit is fetched or pushed alone.

    The size of an email is the size that Exchange lists. The size of a comment is an estimate.

    Attributes:
        fetch_count: Maximum number of emails in one fetch.
        fetch_bytes: Maximum size of one fetch of several emails, in bytes.
        alone_over: An email that is larger than this many bytes is fetched alone.
        push_count: Maximum number of comments in one push.
        push_bytes: Maximum size of one push of several comments, in bytes.
    """

    fetch_count: int = 50
    fetch_bytes: int = 8 * 1024 * 1024
    alone_over: int = 5 * 1024 * 1024
    push_count: int = 128
    push_bytes: int = 4 * 1024 * 1024

    def fetch_batches(self, changes: Iterable[Change]) -> Iterator[list[Change]]:
        """Cut changes into batches for one fetch each.

        Args:
            changes: The changes to fetch.

        Returns:
            The batches, in the same order.
        """
        return batches(
            changes,
            lambda change: change.size,
            most=self.fetch_count,
            most_bytes=self.fetch_bytes,
            alone_over=self.alone_over,
        )

    def push_batches(self, comments: Iterable[OutgoingComment]) -> Iterator[list[OutgoingComment]]:
        """Cut outgoing comments into batches for one push each.

        Args:
            comments: The outgoing comments.

        Returns:
            The batches, in the same order.
        """
        return batches(comments, _weight, most=self.push_count, most_bytes=self.push_bytes)


@dataclass(frozen=True, slots=True)
class OutgoingComment:
    """A comment that is to be delivered, with the mailbox items that it represents. The last item is the winner."""

    comment: Comment
    changes: tuple[Change, ...]
    verdict: FilterVerdict
    collision: bool = False
    """The items include two different emails with the same Message-ID."""

    @property
    def change(self) -> Change:
        """The item that was synced last."""
        return self.changes[-1]

    @property
    def wanted(self) -> bool:
        """Whether the filter rules want the email."""
        return self.verdict is FilterVerdict.WANTED


@dataclass(frozen=True, slots=True)
class UnfinishedWork:
    """Outgoing comments that one attempt did not finish. The next attempt repeats them."""

    contended: Sequence[OutgoingComment] = ()
    """Outgoing comments whose ledger entries another sync changed meanwhile."""
    in_doubt: Sequence[OutgoingComment] = ()
    """Pushed comments for which the response does not show whether they were stored. The next attempt asks the bucket."""

    def all(self) -> list[OutgoingComment]:
        """Return the contended comments, followed by those in doubt."""
        return [*self.contended, *self.in_doubt]


@dataclass(slots=True)
class EmailDelivery:
    """Delivers emails of one mailbox to one bucket and counts the results."""

    sink: Sink
    ledger: Ledger
    control: Control
    transform: Callable[[Email], Converted | NotConvertible]
    rules: Rules
    judged_by: str
    sizes: Sizes = field(default_factory=Sizes)
    counts: RunCounts = field(default_factory=RunCounts)
    longest_wait: Callable[[Iterable[datetime | None]], int | None] = no_latency
    """Return the longest latency of emails whose comments were just created, in seconds, from their arrival times."""
    breaker: BreakerWindow = field(default_factory=BreakerWindow)
    still_trusted: Callable[[], bool] = lambda: True
    """Return whether the bucket is still trusted. Called before a new comment is pushed without asking the bucket."""
    folders: Mapping[FolderId, FilterVerdict] = field(default_factory=dict)
    """Folders whose mail is not wanted, with the reason. An email in such a folder is synced only if its comment has a
    ledger entry."""
    kinds: Mapping[FolderId, FolderKind] = field(default_factory=dict)
    """The kind of each folder."""
    done: int = 0
    """Number of finished batches, plus the number of emails that became dead letters after an error."""

    def deliver(self, fetched: Iterable[Fetched]) -> list[Change]:
        """Deliver one batch. Afterwards each email that was found is confirmed, unchanged, deferred, rejected or a dead letter.

        Args:
            fetched: The emails as the source returns them.

        Returns:
            The changes whose items no longer exist.

        Raises:
            SliceOver: The sync has to end during the batch. The emails that were fetched until then were delivered.
            Contended: Other syncs kept changing the entries.
            ReinferNotStored: The bucket repeatedly did not store pushed comments.
            IntegrationError: The source or the sink failed.
            TooManyRefused: The circuit breaker of the bucket opens.
            LeaseLost: Another worker holds the lease.
        """
        gone: list[Change] = []
        unfit: list[DeadLetterRecord] = []
        comments: dict[CommentId, OutgoingComment] = {}
        taken, in_time = 0, True
        for outcome in fetched:
            # Process at least one email. Otherwise a slow email would never be delivered.
            in_time = self.control.keep_going_in_batch() or not taken
            if not in_time:
                break
            taken += not isinstance(outcome, Gone)
            if isinstance(outcome, Gone):
                gone.append(outcome.change)
            elif isinstance(outcome, Unreadable):
                self.dead_letter(DeadLetterRecord(outcome.change, DeadLetterKind.UNREADABLE, outcome.reason))
            else:
                unfit += self._take(outcome, comments)
        if unfit:
            self.breaker.note(REFUSED * len(unfit), alone=not comments)
        for email in unfit:
            self.dead_letter(email)
        for batch in self.sizes.push_batches(comments.values()):
            self._deliver(batch)
        self.done += 1
        if not in_time:
            raise SliceOver
        return gone

    def dead_letter(self, email: DeadLetterRecord) -> None:
        """Record an email as a dead letter, so that the sync of the mailbox can continue.

        Args:
            email: The email, with the reason.
        """
        self.counts.set_aside += self.ledger.add_dead_letters([email])

    def fail_after_error(self, change: Change, error: IntegrationError) -> None:
        """Record an email as a dead letter, because it fails repeatedly although the source and the sink work.

        Args:
            change: The email.
            error: The error that it causes.
        """
        kind = DeadLetterKind.REFUSED if error.side() is Side.REINFER else DeadLetterKind.UNREADABLE
        self.dead_letter(DeadLetterRecord(change, kind, error.kind))
        self.done += 1

    def item_record(self, change: Change, *, verdict: str, comment_id: CommentId | None) -> ItemRecord:
        """Return the record of an item for the database.

        Args:
            change: The item as its folder lists it.
            verdict: The decision on the item.
            comment_id: The comment id of the item, or its key if it is a newly wanted email; None if it has neither.

        Returns:
            The record.
        """
        return ItemRecord(
            item_id=change.item_id,
            change_key=change.change_key,
            folder_id=change.folder_id,
            listed_id=listed_comment_id(change.message_id),
            comment_id=comment_id,
            received=change.received,
            size=change.size,
            verdict=verdict,
            judged_by=self.judged_by,
        )

    # ---- convert and filter ---------------------------------------------------------------------------------------

    def _take(self, email: Email, comments: dict[CommentId, OutgoingComment]) -> list[DeadLetterRecord]:
        """Add an email to the outgoing comments. If it cannot be converted, return the result of `_unfit`."""
        self.counts.fetched += 1
        converted = self.transform(email)
        verdict = self._verdict(email)
        if isinstance(converted, NotConvertible):
            return self._unfit(email, converted, verdict)
        comment = converted.comment
        if verdict is FilterVerdict.WANTED:
            verdict = participants_verdict(self.rules, converted.participants)
        before = comments.pop(comment.id, None)
        if before is None:
            comments[comment.id] = OutgoingComment(comment, (email.change,), verdict)
            return []
        collision = before.collision or identity_digest(before.comment) != identity_digest(comment)
        verdict = before.verdict if before.wanted else verdict
        comments[comment.id] = OutgoingComment(comment, (*before.changes, email.change), verdict, collision)
        return []

    def _verdict(self, email: Email) -> FilterVerdict:
        """Return the verdict on an email, without regard to its participants."""
        folder = email.change.folder_id
        if folder in self.folders:
            return self.folders[folder]
        if not email.details.draft:
            return FilterVerdict.WANTED
        kind = self.kinds.get(folder, FolderKind.ORDINARY)
        return draft_verdict(kind, marked=True, received=b"received" in field_names(email.mime))

    def _unfit(self, email: Email, why: NotConvertible, verdict: FilterVerdict) -> list[DeadLetterRecord]:
        """Return the dead letter of an email that cannot be converted, if the circuit breaker of the bucket counts it.

        Otherwise, store the result at once.
        """
        unfit = DeadLetterRecord(email.change, why.kind, why.detail)
        if why.kind in (DeadLetterKind.NOT_AN_EMAIL, DeadLetterKind.CONVERSION_DEADLINE):
            # The circuit breaker does not count these two kinds. NOT_AN_EMAIL is no fault of the conversion.
            # CONVERSION_DEADLINE is the fault of single emails, and a few such emails in a row must not stop a bucket.
            self.dead_letter(unfit)
            return []
        if verdict in (FilterVerdict.DRAFT, FilterVerdict.NEVER_SENT):
            # An email that was never sent may lack data that a comment needs, such as a date.
            self.counts.not_wanted += 1
            self.ledger.remember([self.item_record(email.change, verdict=verdict, comment_id=None)])
            return []
        return [unfit]

    # ---- reconcile ------------------------------------------------------------------------------------------------

    def _deliver(self, comments: Sequence[OutgoingComment]) -> None:
        unfinished = UnfinishedWork(contended=comments)
        for _ in range(MAX_ROUNDS):
            unfinished = self._round(unfinished.all())
            if not unfinished.all():
                return
        raise Contended if unfinished.contended else ReinferNotStored

    def _round(self, comments: Sequence[OutgoingComment]) -> UnfinishedWork:
        """Make one attempt: reconcile and push these comments. Return the comments that are not finished."""
        entries = self.ledger.entries([outgoing.comment.id for outgoing in comments])
        comments = self._filter(comments, entries)
        decisions = self._decide(comments, entries)
        contended: list[OutgoingComment] = []
        intentions: dict[CommentId, Intention] = {}
        settled: list[ConfirmedEntry] = []
        for outgoing in comments:
            entry = entries.get(outgoing.comment.id)
            match decisions[outgoing.comment.id]:
                case Create():
                    intentions[outgoing.comment.id] = _intention(outgoing, entry, outgoing.comment, creates=True)
                case Update(comment=comment):
                    intentions[outgoing.comment.id] = _intention(outgoing, entry, comment, creates=False)
                case Adopt() as adopt:
                    settled.append(self._adopted(outgoing, entry, adopt))
                case Plain.NOTHING:
                    settled.append(self._unchanged(outgoing, entry))
                case Plain.HOLD_BACK:
                    self.counts.held_back += 1
                    settled.append(self._unchanged(outgoing, entry))
                case Plain.DEFER:
                    contended += [] if self._deferred(outgoing, entry) else [outgoing]
        by_id = {outgoing.comment.id: outgoing for outgoing in comments}
        self.ledger.settle(settled, self._item_records(by_id, [item.comment_id for item in settled]))
        unfinished = self._push(intentions, by_id)
        return UnfinishedWork([*contended, *unfinished.contended], unfinished.in_doubt)

    def _filter(
        self, comments: Sequence[OutgoingComment], entries: Mapping[CommentId, LedgerRecord]
    ) -> list[OutgoingComment]:
        """Remove comments that are not wanted and have no ledger entry, and store the verdicts on their items."""
        rejected = [outgoing for outgoing in comments if not outgoing.wanted and outgoing.comment.id not in entries]
        self.counts.not_wanted += len(rejected)
        self.ledger.remember(
            [
                self.item_record(change, verdict=outgoing.verdict, comment_id=outgoing.comment.id)
                for outgoing in rejected
                for change in outgoing.changes
            ]
        )
        return [outgoing for outgoing in comments if outgoing.wanted or outgoing.comment.id in entries]

    def _decide(
        self, comments: Sequence[OutgoingComment], entries: Mapping[CommentId, LedgerRecord]
    ) -> dict[CommentId, Decision]:
        is_new = any(outgoing.comment.id not in entries for outgoing in comments)
        trusted = self.ledger.trusted and (not is_new or self.still_trusted())

        def decide(outgoing: OutgoingComment, asked: BucketAnswer | None) -> Decision:
            return reconcile(outgoing.comment, entries.get(outgoing.comment.id), trusted=trusted, bucket_answer=asked)

        decisions = {outgoing.comment.id: decide(outgoing, None) for outgoing in comments}
        unclear = [outgoing for outgoing in comments if decisions[outgoing.comment.id] is Plain.ASK]
        if unclear:
            stored = self.sink.stored([outgoing.comment.id for outgoing in unclear])
            for outgoing in unclear:
                decisions[outgoing.comment.id] = decide(outgoing, BucketAnswer(stored.get(outgoing.comment.id)))
        return decisions

    def _adopted(self, outgoing: OutgoingComment, entry: LedgerRecord | None, adopt: Adopt) -> ConfirmedEntry:
        newly_confirmed = adopt.ours and entry is not None and not entry.billed
        self.counts.created += newly_confirmed
        self.counts.unchanged += not newly_confirmed
        return ConfirmedEntry(
            comment_id=outgoing.comment.id,
            content_digest=adopt.content_digest,
            properties_digest=adopt.properties_digest,
            identity_digest=entry.identity_digest if entry else identity_digest(outgoing.comment),
            change=outgoing.change,
            billed=newly_confirmed or (entry is not None and entry.billed),
            seen=entry,
        )

    def _unchanged(self, outgoing: OutgoingComment, entry: LedgerRecord | None) -> ConfirmedEntry:
        assert entry is not None  # only a comment with an entry is left unchanged
        self.counts.unchanged += 1
        return ConfirmedEntry(
            comment_id=outgoing.comment.id,
            content_digest=entry.content_digest,
            properties_digest=entry.properties_digest,
            identity_digest=entry.identity_digest,
            change=outgoing.change,
            billed=entry.billed,
            seen=entry,
            collision=_collides(outgoing, entry),
        )

    def _deferred(self, outgoing: OutgoingComment, entry: LedgerRecord | None) -> bool:
        assert entry is not None  # only a comment that another sync is pushing is deferred
        if not self.ledger.defer(entry, outgoing.change):
            return False
        self.ledger.remember([self._delivered(outgoing, change) for change in outgoing.changes])
        return True

    # ---- intend, push, confirm ------------------------------------------------------------------------------------

    def _push(
        self, intentions: Mapping[CommentId, Intention], comments: Mapping[CommentId, OutgoingComment]
    ) -> UnfinishedWork:
        if not intentions:
            return UnfinishedWork()
        deadline = self.sink.deadline
        written = self.ledger.intend(list(intentions.values()), flight=2 * deadline)
        in_doubt: Sequence[CommentId] = ()
        if written:
            # The process may have been suspended after it wrote the intentions, so the lease and the intentions are
            # checked again.
            self.control.require_lease(deadline)
            self.ledger.require_unchanged(written, deadline)
            receipt = self.sink.push([intention.comment for intention in written])
            self.counts.text_changes += receipt.text_changed or 0
            in_doubt = receipt.in_doubt
            self._confirm(_result(written, receipt), comments)
        done = {intention.comment.id for intention in written}
        return UnfinishedWork(
            contended=[comments[comment_id] for comment_id in intentions if comment_id not in done],
            in_doubt=[comments[comment_id] for comment_id in in_doubt],
        )

    def _confirm(self, result: PushResult, comments: Mapping[CommentId, OutgoingComment]) -> None:
        self.ledger.confirm(
            result, self._item_records(comments, [intention.comment.id for intention in result.accepted])
        )
        self.counts.created += sum(intention.creates for intention in result.accepted)
        self.counts.updated += sum(not intention.creates for intention in result.accepted)
        arrivals = [intention.change.received for intention in result.accepted if intention.creates]
        self.counts.longest_wait = longer(self.counts.longest_wait, self.longest_wait(arrivals))
        refused = {intention.comment.id for intention, _ in result.refused}
        self.breaker.note("".join(REFUSED if comment_id in refused else ACCEPTED for comment_id in result.ids))
        for intention, rejection in result.refused:
            for change in comments[intention.comment.id].changes:
                self.dead_letter(DeadLetterRecord(change, DeadLetterKind.REFUSED, rejection.reason))

    def _item_records(
        self, comments: Mapping[CommentId, OutgoingComment], ids: Iterable[CommentId]
    ) -> dict[CommentId, list[ItemRecord]]:
        return {
            comment_id: [self._delivered(comments[comment_id], change) for change in comments[comment_id].changes]
            for comment_id in ids
        }

    def _delivered(self, outgoing: OutgoingComment, change: Change) -> ItemRecord:
        return self.item_record(change, verdict=DELIVERED, comment_id=outgoing.comment.id)


def _result(written: Sequence[Intention], receipt: Receipt) -> PushResult:
    """Return the accepted and refused intentions of a push, without those whose result is in doubt."""
    refused = {rejection.comment_id: rejection for rejection in receipt.rejections}
    certain = [intention for intention in written if intention.comment.id not in receipt.in_doubt]
    return PushResult(
        ids=tuple(intention.comment.id for intention in certain),
        accepted=tuple(intention for intention in certain if intention.comment.id not in refused),
        refused=tuple(
            (intention, refused[intention.comment.id]) for intention in certain if intention.comment.id in refused
        ),
    )


def _intention(outgoing: OutgoingComment, entry: LedgerRecord | None, comment: Comment, *, creates: bool) -> Intention:
    settles = entry is not None and not entry.confirmed and not entry.billed
    return Intention(
        comment=comment,
        content_digest=content_digest(comment),
        properties_digest=properties_digest(comment),
        identity_digest=entry.identity_digest if entry and entry.identity_digest else identity_digest(outgoing.comment),
        change=outgoing.change,
        # `settles`: an earlier push created the comment and was never confirmed. So the comment has not been counted as
        # created yet, and is counted with this update.
        creates=creates or settles,
        billed=creates or settles or (entry is not None and entry.billed),
        collision=_collides(outgoing, entry),
        is_there=not creates,
        seen=entry,
    )


def _collides(outgoing: OutgoingComment, entry: LedgerRecord | None) -> bool:
    """Return whether two different emails have this Message-ID. An edited version of an item is not a different email."""
    return outgoing.collision or (
        entry is not None
        and bool(entry.identity_digest)
        and outgoing.change.item_id != entry.winner_item
        and not is_foreign(entry.winner_item)
        and identity_digest(outgoing.comment) != entry.identity_digest
    )


def _weight(outgoing: OutgoingComment) -> int:
    """Return the estimated size of a comment in JSON, in bytes."""
    message = outgoing.comment.message
    people = sum(map(len, (*message.to, *message.cc, *message.bcc)))
    return 2 * (len(message.body) + len(message.subject) + len(message.signature) + people) + 2048
