"""Verification: compare Exchange, the ledger and Re:infer for one mailbox, and repair differences on request.

The folders and their emails are requested from Exchange, because the stored folders and emails may be incomplete. If
there is no email, or all emails still wait for a sync, the verification reports an error instead of "no differences".

A large mailbox takes long (one request to Re:infer for each comment), so the work is done in time slices. The
`Verification` row stores the progress, so any worker can continue the verification. Without a repair, the verification
changes neither the ledger nor the stored items. An error can delay the syncs of the mailbox, too.
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

STOPPED = "The verification was stopped."
"""The error text of a verification that a person stopped."""
NOTHING = "Nothing was compared"
NEVER_SYNCED = (
    f"{NOTHING}: no sync of this mailbox has finished. Start the mailbox, and verify it when it is up to date."
)
ALL_ON_THEIR_WAY = (
    NOTHING + ": all emails of this mailbox ({:,}) wait for a sync. Verify the mailbox when it is up to date."
)
NONE_WANTED = (
    f"{NOTHING}: Exchange has no email that the filters want. If you expect email, check the filters and the folders."
)
NO_FOLDER = (
    f"{NOTHING}: no folder is wanted, or none can be read. Check the filters, and the permissions of the account."
)
"""`NO_FOLDER` and the three texts before it are the errors of a verification that could not compare any email."""
AT_ONCE = 25
"""Maximum number of comments in one call of `Sink.stored`."""
TASK_LIVES = timedelta(seconds=60)
"""Time after which a queued task counts as lost."""
PAUSE = timedelta(seconds=30)
"""Wait after a temporary error without a retry time. It is also the shortest wait after any temporary error."""


COUNTED = ("emails", "well", "waiting", "set_aside", "not_wanted", "withheld", "missing", "outdated")
"""The counts of a verification that change with each page."""


@dataclass(slots=True)
class _Slice:
    row: Verification
    mailbox: Mailbox
    source: Source
    sink: Sink
    environment: RunEnvironment
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
            if self._is_over():  # checked after a page, so that even a very short slice makes progress
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
            # The folder is read again from the start, so its counts are reset.
            self.row.cursor = ""
            for name, count in self.row.before_folder.items():
                setattr(self.row, name, count)
            return
        except (FolderGone, FolderRefused):  # the tree lists the folder, but it cannot be read
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
        items = {
            item.item_id: item
            for item in MailboxItem.objects.filter(
                mailbox=self.mailbox, item_id__in=[change.item_id for change in emails]
            )
        }
        self.row.emails += len(emails)
        delivered: list[MailboxItem] = []
        for change in emails:
            item = items.get(change.item_id)
            if item is None:
                # An email without a stored item is not missing if a later sync is going to read it.
                self._count("waiting" if not folder.up_to_date or self._is_new(change) else "missing", item)
            elif item.verdict == SET_ASIDE:
                self.row.set_aside += 1
            elif item.verdict == DELIVERED:
                delivered.append(item)
            elif item.verdict == NEWLY_WANTED:
                self.row.withheld += 1
            else:
                self.row.not_wanted += 1
        for start in range(0, len(delivered), AT_ONCE):
            self._compare(delivered[start : start + AT_ONCE])

    def _is_new(self, change: Change) -> bool:
        return change.received is not None and change.received > self.row.started_at - settings.SYNC_SLICE

    def _compare(self, items: Sequence[MailboxItem]) -> None:
        """Request the comments of these items from Re:infer, and count each item."""
        ids = [CommentId(item.comment_id) for item in items]
        entries = {
            entry.comment_id: entry
            for entry in LedgerEntry.objects.filter(bucket=self.mailbox.bucket_id, comment_id__in=ids)
        }
        stored = self.sink.stored(list(dict.fromkeys(ids)))
        for item in items:
            entry, comment = entries.get(item.comment_id), stored.get(CommentId(item.comment_id))
            if entry is not None and (entry.state != LedgerEntry.State.CONFIRMED or entry.dirty):
                self._count("waiting", item)
            elif entry is None or comment is None:
                self._count("missing", item, entry)
            elif entry.winner_mailbox_id == self.mailbox.pk and properties_digest(comment) != entry.properties_digest:
                self._count("outdated", item, entry)
            else:
                self.row.well += 1

    def _count(self, name: str, item: MailboxItem | None, entry: LedgerEntry | None = None) -> None:
        setattr(self.row, name, getattr(self.row, name) + 1)
        if self.row.repair and name != "waiting":
            self._repair(name, item, entry)

    def _repair(self, name: str, item: MailboxItem | None, entry: LedgerEntry | None) -> None:
        """Change the stored state so that the next sync repairs the email.

        The entry is changed by compare-and-swap, so a change that a sync made meanwhile is not overwritten.
        """
        if entry is not None:
            same = LedgerEntry.objects.filter(pk=entry.pk, sequence=entry.sequence)
            if name == "outdated":
                same.update(dirty=True, properties_digest="", sequence=F("sequence") + 1, mark=None)
                return
            if not same.delete()[0]:
                return
        if item is not None:
            MailboxItem.objects.filter(pk=item.pk).delete()

    def _finish(self) -> None:
        row = self.row
        row.surplus = _surplus(self.mailbox)
        row.ended_at, row.claimed_until = self.environment.clock(), None
        row.error_text = self._nothing_compared() if row.emails == row.waiting else ""
        self._save()
        _sync_repaired(row)

    def _nothing_compared(self) -> str:
        """Return why nothing was compared, and what to do."""
        if not MailboxState.objects.filter(pk=self.mailbox.pk, synced_at__isnull=False).exists():
            return NEVER_SYNCED
        if self.row.emails:
            return ALL_ON_THEIR_WAY.format(self.row.emails)
        return NONE_WANTED if self.row.folders else NO_FOLDER

    def _save(self) -> None:
        self.stopped = not _saved(self.row)

    def _is_over(self) -> bool:
        return self.stopped or self.environment.monotonic() >= self.end or self.environment.is_shutting_down()


def begin(mailbox: Mailbox, *, repair: bool, clock: Clock = database_now) -> Verification:
    """Request a verification. An earlier verification is stopped if it still runs, and its row is deleted.

    Args:
        mailbox: The mailbox.
        repair: Whether differences are repaired.
        clock: Returns the current time in UTC.

    Returns:
        The new row.
    """
    stop(mailbox, clock)
    Verification.objects.filter(mailbox=mailbox).delete()
    return Verification.objects.create(mailbox=mailbox, repair=repair, started_at=clock(), next_at=clock())


def stop(mailbox: Mailbox, clock: Clock = database_now) -> bool:
    """Stop the running verification of a mailbox. Its worker compares at most the rest of the current page.

    Args:
        mailbox: The mailbox.
        clock: Returns the current time in UTC.

    Returns:
        False when no verification is running.
    """
    row = Verification.objects.filter(mailbox=mailbox, ended_at=None).first()
    if row is None:
        return False
    running = Verification.objects.filter(pk=row.pk, ended_at=None)
    stopped = running.update(ended_at=clock(), claimed_until=None, error_text=STOPPED) > 0
    _sync_repaired(row)
    return stopped


def due(now: datetime) -> list[int]:
    """Return the verifications that are due and that no worker is running.

    An open circuit breaker and a delay after a failed sync apply to the verification of the mailbox, too.

    Args:
        now: The current time in UTC.

    Returns:
        Primary keys, ordered by the time at which they were due.
    """
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    delayed = Q(mailbox__state__failures__gt=0, mailbox__state__next_sync_at__gt=now)
    rows = Verification.objects.filter(
        free, connection_breakers.breakers_closed("mailbox__"), ended_at=None, next_at__lte=now
    )
    return list(rows.exclude(delayed).order_by("next_at").values_list("pk", flat=True))


def send_due(send: Callable[[int, str], object], clock: Clock = database_now) -> int:
    """Queue the due verifications, as far as the `most_at_once` limit of their integrations allows.

    Args:
        send: Queues the task, by primary key and mark. The mark is the time from which the task counts as lost.
        clock: Returns the current time in UTC.

    Returns:
        Number of queued verifications.
    """
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


def run_slice(pk: int, environment: RunEnvironment | None = None, *, sent: str = "") -> Verification | None:
    """Run one time slice of a verification.

    Args:
        pk: Primary key of the verification.
        environment: The external dependencies; None for those of production.
        sent: The mark of the task, or empty for a direct call. It detects a task that is delivered twice or too late.

    Returns:
        The row. None if another worker runs the verification, if the verification has ended, or if `sent` is not the
        current mark.
    """
    environment = environment or RunEnvironment()
    now = environment.clock()
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
            sign_in_budget.counted(mailbox.integration, environment.clock, doubtful=doubtful, key=key),
            environment.open_source(mailbox.integration, mailbox.address) as source,
            environment.open_sink(bucket.destination, bucket.project, bucket.name) as sink,
        ):
            end = environment.monotonic() + settings.SYNC_SLICE.total_seconds()
            row.error_text = ""
            _Slice(row, mailbox, source, sink, environment, end).run()
    except IntegrationError as error:
        fault = own_fault(error)
        row.error_text = str(fault or error)
        row.next_at = environment.clock() + max(error.retry_after or PAUSE, PAUSE)
        if fault is None:
            _delay_syncs(mailbox, error, environment.clock(), key)
            row.ended_at = environment.clock() if isinstance(error, Refused) else None
    row.claimed_until = None
    if not _saved(row) and row.ended_at is None:
        _sync_repaired(row)  # the verification was stopped while this slice repaired
    return row


def _sync_repaired(row: Verification) -> None:
    """Make the mailbox due after a repair, even if the repair was stopped, so that a sync pushes the repaired emails."""
    if row.repair and (row.missing or row.outdated):
        values = {"list_again": True} if row.missing else {}
        MailboxState.objects.filter(pk=row.pk).update(next_sync_at=None, **values)


def _saved(row: Verification) -> bool:
    """Store the progress, and return False if the verification was stopped or restarted meanwhile."""
    values = {field.name: getattr(row, field.attname) for field in row._meta.concrete_fields if not field.primary_key}
    same = Verification.objects.filter(pk=row.pk, started_at=row.started_at, ended_at=None)
    return same.update(**values) > 0


def _delay_syncs(mailbox: Mailbox, error: IntegrationError, now: datetime, key: str) -> None:
    """Apply an error of the verification to the syncs of the mailbox, too. `key` identifies the sign-in attempt."""
    state = MailboxState.objects.filter(pk=mailbox.pk).first()
    if state is None:  # deleted meanwhile
        return
    decision = outcome.decide(mailbox, error, now, 0.5, key=key, state=state)
    row = (
        connection_breakers.breaker_row(mailbox, decision.scope)
        if isinstance(decision, retry_policy.OpenCircuit)
        else None
    )
    if isinstance(decision, retry_policy.OpenCircuit) and row is not None:
        # Only a sync closes a circuit breaker, so it is not opened for a mailbox that does not sync.
        if mailbox.enabled and mailbox.integration.enabled:
            connection_breakers.open_breaker(row, decision.until, error, now)
    elif error.retry_after is not None:
        until = now + error.retry_after
        sooner = Q(next_sync_at=None) | Q(next_sync_at__lt=until)
        MailboxState.objects.filter(sooner, pk=mailbox.pk).update(next_sync_at=until)


def run_to_end(
    pk: int, report: Callable[[Verification], None], environment: RunEnvironment | None = None
) -> Verification:
    """Run all time slices of a verification one after the other. Used by a management command.

    The function returns at the first error, so that the command prints the error instead of waiting for a retry.

    Args:
        pk: Primary key of the verification.
        report: Called after each slice with the progress.
        environment: The external dependencies; None for those of production.

    Returns:
        The row.
    """
    while True:
        row = run_slice(pk, environment) or Verification.objects.get(pk=pk)
        report(row)
        if row.ended_at is not None or row.error_text:
            return row


def _surplus(mailbox: Mailbox) -> int:
    """Return how many comments of this mailbox have an email that is no longer in any mailbox of the bucket.

    These comments stay in Re:infer, because a deletion in Exchange never deletes a comment.
    """
    items = MailboxItem.objects.filter(
        comment_id=OuterRef("comment_id"), mailbox__bucket=mailbox.bucket_id, verdict=DELIVERED, folder__gone=False
    )
    pushed = LedgerEntry.objects.filter(
        bucket=mailbox.bucket_id, winner_mailbox=mailbox, state=LedgerEntry.State.CONFIRMED
    )
    return pushed.exclude(Exists(items)).count()
