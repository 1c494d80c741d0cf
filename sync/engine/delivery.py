"""From fetched emails to acknowledged comments: transform, gate 2, reconcile, intend, push, confirm.

In this order and no other, so that whatever dies in between, the next try finds either nothing done, or an intention
that the bucket itself can settle.
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
from sync.engine.foreign_ids import is_former
from sync.engine.latency import longer, nobody_waits
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

ROUNDS = 4
"""How often a comment may slip away to another sync, or from Re:infer, before we try again later."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is fetched and pushed at once. Bytes are those that Exchange lists."""

    fetch_count: int = 50
    fetch_bytes: int = 8 * 1024 * 1024
    alone_over: int = 5 * 1024 * 1024
    push_count: int = 128
    push_bytes: int = 4 * 1024 * 1024

    def fetch_batches(self, changes: Iterable[Change]) -> Iterator[list[Change]]:
        return batches(
            changes,
            lambda change: change.size,
            most=self.fetch_count,
            most_bytes=self.fetch_bytes,
            alone_over=self.alone_over,
        )

    def push_batches(self, letters: Iterable[OutgoingComment]) -> Iterator[list[OutgoingComment]]:
        return batches(letters, _weight, most=self.push_count, most_bytes=self.push_bytes)


@dataclass(frozen=True, slots=True)
class OutgoingComment:
    """A comment on its way, with the copies that it stands for; the last of them is the one synced last."""

    comment: Comment
    changes: tuple[Change, ...]
    verdict: FilterVerdict
    collision: bool = False
    """Among its copies are two different emails under one Message-ID."""

    @property
    def change(self) -> Change:
        return self.changes[-1]

    @property
    def wanted(self) -> bool:
        return self.verdict is FilterVerdict.WANTED


@dataclass(frozen=True, slots=True)
class UnfinishedWork:
    """What one round did not bring to its end, and the next one looks at again."""

    contended: Sequence[OutgoingComment] = ()
    """Another sync changed their entries meanwhile."""
    in_doubt: Sequence[OutgoingComment] = ()
    """Sent, and the answer does not account for them. Their intentions stand, so the next round asks the bucket."""

    def all(self) -> list[OutgoingComment]:
        return [*self.contended, *self.in_doubt]


@dataclass(slots=True)
class EmailDelivery:
    """Delivers emails of one mailbox into one bucket, and counts what came of it."""

    sink: Sink
    ledger: Ledger
    control: Control
    transform: Callable[[Email], Converted | NotConvertible]
    rules: Rules
    judged_by: str
    sizes: Sizes = field(default_factory=Sizes)
    counts: RunCounts = field(default_factory=RunCounts)
    longest_wait: Callable[[Iterable[datetime | None]], int | None] = nobody_waits
    """Of emails that arrived at these times and are comments now."""
    breaker: BreakerWindow = field(default_factory=BreakerWindow)
    still_trusted: Callable[[], bool] = lambda: True
    """Asked before anything new is sent to a bucket whose ledger is trusted: whether it still is."""
    folders: Mapping[FolderId, FilterVerdict] = field(default_factory=dict)
    """Folders whose mail is not wanted: only what the bucket holds already is followed there."""
    kinds: Mapping[FolderId, FolderKind] = field(default_factory=dict)
    """What each folder is for."""
    done: int = 0
    """How many batches came to their end, and how many emails were set aside for good reason: it grows when something moves."""

    def deliver(self, fetched: Iterable[Fetched]) -> list[Change]:
        """Deliver one batch. When it returns, every email of it is confirmed, unchanged, turned away or set aside.

        Returns what was gone. Raises what the sink raises, `Contended` and `LeaseLost`; and `SliceOver` when the time is up
        in the middle of a slow batch, after delivering what was taken of it so far.
        """
        gone: list[Change] = []
        unfit: list[DeadLetterRecord] = []
        letters: dict[CommentId, OutgoingComment] = {}
        taken, in_time = 0, True
        for outcome in fetched:
            in_time = self.control.keep_going_within() or not taken  # one at least: else a slow email would never pass
            if not in_time:
                break
            taken += not isinstance(outcome, Gone)
            if isinstance(outcome, Gone):
                gone.append(outcome.change)
            elif isinstance(outcome, Unreadable):
                self.set_aside(DeadLetterRecord(outcome.change, DeadLetterKind.UNREADABLE, outcome.reason))
            else:
                unfit += self._take(outcome, letters)
        if unfit:
            self.breaker.note(REFUSED * len(unfit), alone=not letters)
        for email in unfit:
            self.set_aside(email)
        for batch in self.sizes.push_batches(letters.values()):
            self._deliver(batch)
        self.done += 1
        if not in_time:
            raise SliceOver
        return gone

    def set_aside(self, email: DeadLetterRecord) -> None:
        """Let this email wait, and the mailbox go on."""
        self.counts.set_aside += self.ledger.set_aside([email])

    def blame(self, change: Change, error: IntegrationError) -> None:
        """Set an email aside that provokes this error again and again while others pass."""
        kind = DeadLetterKind.REFUSED if error.side() is Side.REINFER else DeadLetterKind.UNREADABLE
        self.set_aside(DeadLetterRecord(change, kind, error.kind))
        self.done += 1

    def copy(self, change: Change, *, verdict: str, comment_id: CommentId | None) -> ItemRecord:
        """What to remember of a change."""
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

    # ---- transform and gate 2 -------------------------------------------------------------------------------------

    def _take(self, email: Email, letters: dict[CommentId, OutgoingComment]) -> list[DeadLetterRecord]:
        """Put it among the letters; or, of an email that makes no comment, why."""
        self.counts.fetched += 1
        converted = self.transform(email)
        verdict = self._verdict(email)
        if isinstance(converted, NotConvertible):
            return self._unfit(email, converted, verdict)
        comment = converted.comment
        if verdict is FilterVerdict.WANTED:
            verdict = participants_verdict(self.rules, converted.participants)
        before = letters.pop(comment.id, None)
        if before is None:
            letters[comment.id] = OutgoingComment(comment, (email.change,), verdict)
            return []
        collision = before.collision or identity_digest(before.comment) != identity_digest(comment)
        verdict = before.verdict if before.wanted else verdict
        letters[comment.id] = OutgoingComment(comment, (*before.changes, email.change), verdict, collision)
        return []

    def _verdict(self, email: Email) -> FilterVerdict:
        """Apart from who wrote it to whom."""
        folder = email.change.folder_id
        if folder in self.folders:
            return self.folders[folder]
        if not email.details.draft:
            return FilterVerdict.WANTED
        kind = self.kinds.get(folder, FolderKind.ORDINARY)
        return draft_verdict(kind, marked=True, received=b"received" in field_names(email.mime))

    def _unfit(self, email: Email, why: NotConvertible, verdict: FilterVerdict) -> list[DeadLetterRecord]:
        """Of an email that makes no comment: itself, where that may say something about the bucket and its transform."""
        unfit = DeadLetterRecord(email.change, why.kind, why.detail)
        if why.kind in (DeadLetterKind.NOT_AN_EMAIL, DeadLetterKind.CONVERSION_DEADLINE):
            # At once, and the breaker does not count it: the one is no fault of the transform. The other took long, and a few
            # such emails in a row must not stop a bucket.
            self.set_aside(unfit)
            return []
        if verdict in (FilterVerdict.DRAFT, FilterVerdict.NEVER_SENT):
            # What was never sent may lack what an email needs, such as a date.
            self.counts.not_wanted += 1
            self.ledger.remember([self.copy(email.change, verdict=verdict, comment_id=None)])
            return []
        return [unfit]

    # ---- reconcile ------------------------------------------------------------------------------------------------

    def _deliver(self, letters: Sequence[OutgoingComment]) -> None:
        left = UnfinishedWork(contended=letters)
        for _ in range(ROUNDS):
            left = self._round(left.all())
            if not left.all():
                return
        raise Contended if left.contended else ReinferNotStored

    def _round(self, letters: Sequence[OutgoingComment]) -> UnfinishedWork:
        """One try at these letters."""
        entries = self.ledger.entries([letter.comment.id for letter in letters])
        letters = self._turn_away(letters, entries)
        decisions = self._decide(letters, entries)
        lost: list[OutgoingComment] = []
        intentions: dict[CommentId, Intention] = {}
        settled: list[ConfirmedEntry] = []
        for letter in letters:
            entry = entries.get(letter.comment.id)
            match decisions[letter.comment.id]:
                case Create():
                    intentions[letter.comment.id] = _intention(letter, entry, letter.comment, creates=True)
                case Update(comment=comment):
                    intentions[letter.comment.id] = _intention(letter, entry, comment, creates=False)
                case Adopt() as adopt:
                    settled.append(self._adopted(letter, entry, adopt))
                case Plain.NOTHING:
                    settled.append(self._unchanged(letter, entry))
                case Plain.HOLD_BACK:
                    self.counts.held_back += 1
                    settled.append(self._unchanged(letter, entry))
                case Plain.DEFER:
                    lost += [] if self._deferred(letter, entry) else [letter]
        by_id = {letter.comment.id: letter for letter in letters}
        self.ledger.settle(settled, self._copies(by_id, [item.comment_id for item in settled]))
        left = self._push(intentions, by_id)
        return UnfinishedWork([*lost, *left.contended], left.in_doubt)

    def _turn_away(
        self, letters: Sequence[OutgoingComment], entries: Mapping[CommentId, LedgerRecord]
    ) -> list[OutgoingComment]:
        """Gate 2: emails that are not wanted, unless the bucket has them already."""
        away = [letter for letter in letters if not letter.wanted and letter.comment.id not in entries]
        self.counts.not_wanted += len(away)
        self.ledger.remember(
            [
                self.copy(change, verdict=letter.verdict, comment_id=letter.comment.id)
                for letter in away
                for change in letter.changes
            ]
        )
        return [letter for letter in letters if letter.wanted or letter.comment.id in entries]

    def _decide(
        self, letters: Sequence[OutgoingComment], entries: Mapping[CommentId, LedgerRecord]
    ) -> dict[CommentId, Decision]:
        is_new = any(letter.comment.id not in entries for letter in letters)
        trusted = self.ledger.trusted and (not is_new or self.still_trusted())

        def decide(letter: OutgoingComment, asked: BucketAnswer | None) -> Decision:
            return reconcile(letter.comment, entries.get(letter.comment.id), trusted=trusted, asked=asked)

        decisions = {letter.comment.id: decide(letter, None) for letter in letters}
        unclear = [letter for letter in letters if decisions[letter.comment.id] is Plain.ASK]
        if unclear:
            stored = self.sink.stored([letter.comment.id for letter in unclear])
            for letter in unclear:
                decisions[letter.comment.id] = decide(letter, BucketAnswer(stored.get(letter.comment.id)))
        return decisions

    def _adopted(self, letter: OutgoingComment, entry: LedgerRecord | None, adopt: Adopt) -> ConfirmedEntry:
        first_told = adopt.ours and entry is not None and not entry.billed
        self.counts.created += first_told
        self.counts.unchanged += not first_told
        return ConfirmedEntry(
            comment_id=letter.comment.id,
            content_digest=adopt.content_digest,
            properties_digest=adopt.properties_digest,
            identity_digest=entry.identity_digest if entry else identity_digest(letter.comment),
            change=letter.change,
            billed=first_told or (entry is not None and entry.billed),
            seen=entry,
        )

    def _unchanged(self, letter: OutgoingComment, entry: LedgerRecord | None) -> ConfirmedEntry:
        assert entry is not None  # only a known comment is left alone
        self.counts.unchanged += 1
        return ConfirmedEntry(
            comment_id=letter.comment.id,
            content_digest=entry.content_digest,
            properties_digest=entry.properties_digest,
            identity_digest=entry.identity_digest,
            change=letter.change,
            billed=entry.billed,
            seen=entry,
            collision=_collides(letter, entry),
        )

    def _deferred(self, letter: OutgoingComment, entry: LedgerRecord | None) -> bool:
        assert entry is not None  # only what is in flight is deferred
        if not self.ledger.defer(entry, letter.change):
            return False
        self.ledger.remember([self._delivered(letter, change) for change in letter.changes])
        return True

    # ---- intend, push, confirm ------------------------------------------------------------------------------------

    def _push(
        self, intentions: Mapping[CommentId, Intention], letters: Mapping[CommentId, OutgoingComment]
    ) -> UnfinishedWork:
        if not intentions:
            return UnfinishedWork()
        deadline = self.sink.deadline
        written = self.ledger.intend(list(intentions.values()), flight=2 * deadline)
        in_doubt: Sequence[CommentId] = ()
        if written:
            # A worker may stand still between any two lines: what it was allowed before that, it asks for again.
            self.control.still_mine(deadline)
            self.ledger.still_stand(written, deadline)
            receipt = self.sink.push([intention.comment for intention in written])
            self.counts.text_changes += receipt.text_changed or 0
            in_doubt = receipt.in_doubt
            self._confirm(_result(written, receipt), letters)
        done = {intention.comment.id for intention in written}
        return UnfinishedWork(
            contended=[letters[comment_id] for comment_id in intentions if comment_id not in done],
            in_doubt=[letters[comment_id] for comment_id in in_doubt],
        )

    def _confirm(self, result: PushResult, letters: Mapping[CommentId, OutgoingComment]) -> None:
        self.ledger.confirm(result, self._copies(letters, [intention.comment.id for intention in result.accepted]))
        self.counts.created += sum(intention.creates for intention in result.accepted)
        self.counts.updated += sum(not intention.creates for intention in result.accepted)
        arrivals = [intention.change.received for intention in result.accepted if intention.creates]
        self.counts.longest_wait = longer(self.counts.longest_wait, self.longest_wait(arrivals))
        refused = {intention.comment.id for intention, _ in result.refused}
        self.breaker.note("".join(REFUSED if comment_id in refused else ACCEPTED for comment_id in result.ids))
        for intention, rejection in result.refused:
            for change in letters[intention.comment.id].changes:
                self.set_aside(DeadLetterRecord(change, DeadLetterKind.REFUSED, rejection.reason))

    def _copies(
        self, letters: Mapping[CommentId, OutgoingComment], ids: Iterable[CommentId]
    ) -> dict[CommentId, list[ItemRecord]]:
        return {
            comment_id: [self._delivered(letters[comment_id], change) for change in letters[comment_id].changes]
            for comment_id in ids
        }

    def _delivered(self, letter: OutgoingComment, change: Change) -> ItemRecord:
        return self.copy(change, verdict=DELIVERED, comment_id=letter.comment.id)


def _result(written: Sequence[Intention], receipt: Receipt) -> PushResult:
    """What may be confirmed or undone of this push: nothing that is in doubt."""
    refused = {rejection.comment_id: rejection for rejection in receipt.rejections}
    certain = [intention for intention in written if intention.comment.id not in receipt.in_doubt]
    return PushResult(
        ids=tuple(intention.comment.id for intention in certain),
        accepted=tuple(intention for intention in certain if intention.comment.id not in refused),
        refused=tuple(
            (intention, refused[intention.comment.id]) for intention in certain if intention.comment.id in refused
        ),
    )


def _intention(letter: OutgoingComment, entry: LedgerRecord | None, comment: Comment, *, creates: bool) -> Intention:
    settles = entry is not None and not entry.confirmed and not entry.billed
    return Intention(
        comment=comment,
        content_digest=content_digest(comment),
        properties_digest=properties_digest(comment),
        identity_digest=entry.identity_digest if entry and entry.identity_digest else identity_digest(letter.comment),
        change=letter.change,
        # An update of an intention whose first push had arrived is the first we tell of a comment that we created.
        creates=creates or settles,
        billed=creates or settles or (entry is not None and entry.billed),
        collision=_collides(letter, entry),
        is_there=not creates,
        seen=entry,
    )


def _collides(letter: OutgoingComment, entry: LedgerRecord | None) -> bool:
    """Another email under the same Message-ID, and not the same copy edited."""
    return letter.collision or (
        entry is not None
        and bool(entry.identity_digest)
        and letter.change.item_id != entry.winner_item
        and not is_former(entry.winner_item)
        and identity_digest(letter.comment) != entry.identity_digest
    )


def _weight(letter: OutgoingComment) -> int:
    """About what a comment takes in JSON."""
    message = letter.comment.message
    people = sum(map(len, (*message.to, *message.cc, *message.bcc)))
    return 2 * (len(message.body) + len(message.subject) + len(message.signature) + people) + 2048
