"""Verify: what Exchange holds, what we remember and what Re:infer holds, side by side. Looks, counts, and repairs on request.

Exchange is asked which folders there are and what is in them: what we remember may lack either. Where nothing could be
compared, that is told as what went wrong, and never as a mailbox that is well.

A large mailbox takes long (one question to Re:infer for each comment), so it is done in slices of time: the row remembers how
far it is, any worker goes on, and nothing but the row is written unless a repair was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q

from integrations.errors import CursorRefused, FolderGone, FolderRefused, IntegrationError, Refused
from integrations.messages import Change, ChangeKind, CommentId, Cursor
from integrations.models import Integration
from integrations.ports import Sink, Source
from integrations.product_errors import own_fault
from mailboxes.models import Mailbox
from mailboxes.rules import FilterVerdict, item_verdict
from sync.engine import retry_policy
from sync.engine.reconcile import properties_digest
from sync.engine.records import DELIVERED, NEWLY_WANTED, SET_ASIDE
from sync.jobs import connection_breakers, outcome, scheduling, scope_evidence, sign_in_budget
from sync.jobs.current_folders import FolderNow, wanted_now
from sync.jobs.runner import RunEnvironment
from sync.models import LedgerEntry, MailboxItem, MailboxState, Verification
from sync.store.lease import Clock, database_now

STOPPED = "It was stopped."
"""What a verification says that somebody ended."""
NOTHING = "Nothing was compared"
NEVER_SYNCED = f"{NOTHING}: this mailbox was never synced to its end. Start it, and verify it when it is up to date."
ALL_ON_THEIR_WAY = NOTHING + ": its emails, {:,}, are on their way. Verify it when it is up to date."
NONE_WANTED = (
    f"{NOTHING}: Exchange holds no email that is wanted. If you expect some, look at its filters and its folders."
)
NO_FOLDER = f"{NOTHING}: no folder that is wanted can be read. Look at its filters, and at the rights of the account."
"""What a verification says that could not compare a single email."""
AT_ONCE = 25
"""Comments that are asked for between two looks at the clock."""
TASK_LIVES = timedelta(seconds=60)
PAUSE = timedelta(seconds=30)
"""After a fault that passes, where the other side names no time."""


COUNTED = ("emails", "well", "waiting", "set_aside", "not_wanted", "withheld", "missing", "outdated")


@dataclass(slots=True)
class _Slice:
    row: Verification
    mailbox: Mailbox
    source: Source
    sink: Sink
    around: RunEnvironment
    end: float
    stopped: bool = False

    def run(self) -> None:
        folders = wanted_now(self.source, self.mailbox)
        while True:
            folder = next((folder for folder in folders if folder.key not in self.row.done_folders), None)
            if folder is None:
                self._finish()
                return
            self._folder(folder)
            if self._is_over():  # after a page, so that every slice gets further, however short it is
                return

    def _folder(self, folder: FolderNow) -> None:
        after = Cursor(self.row.cursor) if self.row.cursor else None
        if after is None:
            self.row.before_folder = {name: getattr(self.row, name) for name in COUNTED}
        try:
            for page in self.source.changes(folder.id, after):
                self._page(folder, page.changes)
                self.row.cursor = "" if page.last else page.cursor
                if page.last:
                    break
                self._save()
                if self._is_over():
                    return
        except CursorRefused:
            # From the beginning: what was counted of it is counted anew.
            self.row.cursor = ""
            for name, count in self.row.before_folder.items():
                setattr(self.row, name, count)
            return
        except (FolderGone, FolderRefused):  # it is in the tree, and cannot be read
            self.row.cursor = ""
            self.row.left_out += 1
        else:
            self.row.folders += 1
        self.row.done_folders = [*self.row.done_folders, folder.key]
        self._save()

    def _page(self, folder: FolderNow, changes: Sequence[Change]) -> None:
        rules = self.mailbox.rules()
        emails = [
            change
            for change in changes
            if change.kind is ChangeKind.CREATED and item_verdict(rules, change, folder.kind) is FilterVerdict.WANTED
        ]
        copies = {
            copy.item_id: copy
            for copy in MailboxItem.objects.filter(
                mailbox=self.mailbox, item_id__in=[change.item_id for change in emails]
            )
        }
        self.row.emails += len(emails)
        delivered: list[MailboxItem] = []
        for change in emails:
            copy = copies.get(change.item_id)
            if copy is None:
                # Before the folder is up to date, an email that we do not know is only one that is to come.
                self._count("waiting" if not folder.up_to_date or self._is_new(change) else "missing", copy)
            elif copy.verdict == SET_ASIDE:
                self.row.set_aside += 1
            elif copy.verdict == DELIVERED:
                delivered.append(copy)
            elif copy.verdict == NEWLY_WANTED:
                self.row.withheld += 1
            else:
                self.row.not_wanted += 1
        for start in range(0, len(delivered), AT_ONCE):
            self._ask(delivered[start : start + AT_ONCE])

    def _is_new(self, change: Change) -> bool:
        return change.received is not None and change.received > self.row.started_at - settings.SYNC_SLICE

    def _ask(self, copies: Sequence[MailboxItem]) -> None:
        ids = [CommentId(copy.comment_id) for copy in copies]
        entries = {
            entry.comment_id: entry
            for entry in LedgerEntry.objects.filter(bucket=self.mailbox.bucket_id, comment_id__in=ids)
        }
        stored = self.sink.stored(list(dict.fromkeys(ids)))
        for copy in copies:
            entry, comment = entries.get(copy.comment_id), stored.get(CommentId(copy.comment_id))
            if entry is not None and (entry.state != LedgerEntry.State.CONFIRMED or entry.dirty):
                self._count("waiting", copy)
            elif entry is None or comment is None:
                self._count("missing", copy, entry)
            elif entry.winner_mailbox_id == self.mailbox.pk and properties_digest(comment) != entry.properties_digest:
                self._count("outdated", copy, entry)
            else:
                self.row.well += 1

    def _count(self, what: str, copy: MailboxItem | None, entry: LedgerEntry | None = None) -> None:
        setattr(self.row, what, getattr(self.row, what) + 1)
        if self.row.repair and what != "waiting":
            self._repair(what, copy, entry)

    def _repair(self, what: str, copy: MailboxItem | None, entry: LedgerEntry | None) -> None:
        """By compare-and-swap: where a sync changed the entry meanwhile, that one knows better."""
        if entry is not None:
            same = LedgerEntry.objects.filter(pk=entry.pk, sequence=entry.sequence)
            if what == "outdated":
                same.update(dirty=True, properties_digest="", sequence=F("sequence") + 1, mark=None)
                return
            if not same.delete()[0]:
                return
        if copy is not None:
            MailboxItem.objects.filter(pk=copy.pk).delete()

    def _finish(self) -> None:
        row = self.row
        row.surplus = _surplus(self.mailbox)
        row.ended_at, row.claimed_until = self.around.clock(), None
        row.error_text = self._nothing_compared() if row.emails == row.waiting else ""
        self._save()
        _bring_back(row)

    def _nothing_compared(self) -> str:
        """Why, and what to do."""
        if not MailboxState.objects.filter(pk=self.mailbox.pk, synced_at__isnull=False).exists():
            return NEVER_SYNCED
        if self.row.emails:
            return ALL_ON_THEIR_WAY.format(self.row.emails)
        return NONE_WANTED if self.row.folders else NO_FOLDER

    def _save(self) -> None:
        self.stopped = not _saved(self.row)

    def _is_over(self) -> bool:
        return self.stopped or self.around.monotonic() >= self.end or self.around.is_leaving()


def begin(mailbox: Mailbox, *, repair: bool, clock: Clock = database_now) -> Verification:
    """Ask for a verification; what an earlier one found is forgotten."""
    stop(mailbox, clock)
    Verification.objects.filter(mailbox=mailbox).delete()
    return Verification.objects.create(mailbox=mailbox, repair=repair, started_at=clock(), next_at=clock())


def stop(mailbox: Mailbox, clock: Clock = database_now) -> bool:
    """End one that goes on, at the latest when the page of the folder in hand is through; False when there is none."""
    row = Verification.objects.filter(mailbox=mailbox, ended_at=None).first()
    if row is None:
        return False
    going_on = Verification.objects.filter(pk=row.pk, ended_at=None)
    stopped = going_on.update(ended_at=clock(), claimed_until=None, error_text=STOPPED) > 0
    _bring_back(row)
    return stopped


def due(now: datetime) -> list[int]:
    """Those that go on now, and that nobody has in hand. What holds back or delays the syncs of a mailbox, holds back this."""
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    delayed = Q(mailbox__state__failures__gt=0, mailbox__state__next_sync_at__gt=now)
    rows = Verification.objects.filter(free, connection_breakers.not_held("mailbox__"), ended_at=None, next_at__lte=now)
    return list(rows.exclude(delayed).order_by("next_at").values_list("pk", flat=True))


def send_due(send: Callable[[int, str], object], clock: Clock = database_now) -> int:
    """Queue those that go on now, each where its integration has a place for one more; how many. Each is sent with a mark: the
    moment from which its task counts as lost."""
    now = clock()
    sent = 0
    for pk in due(now):
        integration = Integration.objects.get(mailboxes=pk)
        if scheduling.busy(integration.pk, now) >= integration.most_at_once:
            continue
        lost_at = now + TASK_LIVES
        if Verification.objects.filter(pk=pk, next_at__lte=now).update(next_at=lost_at):
            send(pk, lost_at.isoformat())
            sent += 1
    return sent


def go_on(pk: int, around: RunEnvironment | None = None, *, sent: str = "") -> Verification | None:
    """One slice of it. None when another worker has it in hand, it is over, or it was not sent under this mark: a task may come
    twice, or after it counted as lost."""
    around = around or RunEnvironment()
    now = around.clock()
    free = Verification.objects.filter(Q(claimed_until=None) | Q(claimed_until__lte=now), pk=pk, ended_at=None)
    if sent:
        free = free.filter(next_at=datetime.fromisoformat(sent))
    if not free.update(claimed_until=now + settings.SYNC_SLICE + settings.LEASE, next_at=now):
        return None
    row = Verification.objects.select_related("mailbox__integration", "mailbox__bucket__destination").get(pk=pk)
    mailbox, bucket = row.mailbox, row.mailbox.bucket
    key = f"verification {pk} {now.isoformat()}"
    doubtful = scope_evidence.was_refused_a_password(mailbox)
    try:
        with (
            sign_in_budget.counted(mailbox.integration, around.clock, doubtful=doubtful, key=key),
            around.open_source(mailbox.integration, mailbox.address) as source,
            around.open_sink(bucket.destination, bucket.project, bucket.name) as sink,
        ):
            end = around.monotonic() + settings.SYNC_SLICE.total_seconds()
            row.error_text = ""
            _Slice(row, mailbox, source, sink, around, end).run()
    except IntegrationError as error:
        fault = own_fault(error)
        row.error_text = str(fault or error)
        row.next_at = around.clock() + max(error.retry_after or PAUSE, PAUSE)
        if fault is None:
            _let_syncs_wait_too(mailbox, error, around.clock(), key)
            row.ended_at = around.clock() if isinstance(error, Refused) else None
    row.claimed_until = None
    if not _saved(row) and row.ended_at is None:
        _bring_back(row)  # it was stopped while this slice repaired
    return row


def _bring_back(row: Verification) -> None:
    """Let the next sync bring what a repair forgot so far, also when that repair was stopped half-way."""
    if row.repair and (row.missing or row.outdated):
        again = {"list_again": True} if row.missing else {}
        MailboxState.objects.filter(pk=row.pk).update(next_sync_at=None, **again)


def _saved(row: Verification) -> bool:
    """Keep how far it is, unless it was stopped meanwhile, or begun anew."""
    values = {field.name: getattr(row, field.attname) for field in row._meta.concrete_fields if not field.primary_key}
    same = Verification.objects.filter(pk=row.pk, started_at=row.started_at, ended_at=None)
    return same.update(**values) > 0


def _let_syncs_wait_too(mailbox: Mailbox, error: IntegrationError, now: datetime, key: str) -> None:
    """What the other side said to this worker, it said to all of them. `key` names the attempt to sign in."""
    state = MailboxState.objects.filter(pk=mailbox.pk).first()
    if state is None:  # deleted meanwhile
        return
    decision = outcome.decide(mailbox, error, now, 0.5, key=key, state=state)
    held = (
        connection_breakers.held_by(mailbox, decision.scope) if isinstance(decision, retry_policy.OpenCircuit) else None
    )
    if isinstance(decision, retry_policy.OpenCircuit) and held is not None:
        # Only a sync lifts a hold.
        if mailbox.enabled and mailbox.integration.enabled:
            connection_breakers.hold(held, decision.until, error, now)
    elif error.retry_after is not None:
        until = now + error.retry_after
        sooner = Q(next_sync_at=None) | Q(next_sync_at__lt=until)
        MailboxState.objects.filter(sooner, pk=mailbox.pk).update(next_sync_at=until)


def to_its_end(pk: int, tell: Callable[[Verification], None], around: RunEnvironment | None = None) -> Verification:
    """All slices of it, one after the other, as a command does it. Ends at the first fault, so that nobody waits unseen."""
    while True:
        row = go_on(pk, around) or Verification.objects.get(pk=pk)
        tell(row)
        if row.ended_at is not None or row.error_text:
            return row


def _surplus(mailbox: Mailbox) -> int:
    """Comments whose email is no longer in any mailbox of the bucket: they are kept, as deletions never delete comments."""
    copies = MailboxItem.objects.filter(
        comment_id=OuterRef("comment_id"), mailbox__bucket=mailbox.bucket_id, verdict=DELIVERED, folder__gone=False
    )
    won = LedgerEntry.objects.filter(
        bucket=mailbox.bucket_id, winner_mailbox=mailbox, state=LedgerEntry.State.CONFIRMED
    )
    return won.exclude(Exists(copies)).count()
