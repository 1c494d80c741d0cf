"""One sync of one mailbox, with all its effects: takes the lease, opens the ports, runs the engine, applies the policy."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import structlog
from django.conf import settings
from django.db import InterfaceError, InternalError, OperationalError, connection, transaction
from django.db.models import Exists

from conversion import transform
from conversion.deadline.in_process import Convert, Outcome
from conversion.error_location import place_of
from integrations.connect import open_secrets, open_sink, open_source
from integrations.errors import DatabaseFailed, IntegrationError, ProcessFault, SecretUnreadable
from integrations.messages import Email
from integrations.ports import Sink, Source
from integrations.product_errors import own_fault
from mailboxes import rules_versions
from mailboxes.models import Bucket, Mailbox
from sync.engine.circuit_breaker import BreakerWindow
from sync.engine.delivery import EmailDelivery, Sizes
from sync.engine.engine import DesiredMail, Engine
from sync.engine.filter_digest import wanted_digest
from sync.engine.latency import Latency
from sync.engine.ports import CheckpointMoved, LeaseLost
from sync.engine.records import Report, RunCounts
from sync.jobs import (
    bucket_audit,
    budget,
    connection_breakers,
    outcome,
    scope_evidence,
    shutdown,
    sign_in_budget,
    worker_fitness,
)
from sync.jobs.conversions import converter
from sync.jobs.rules_upgrade import newly_of, take_up_rules
from sync.jobs.run_control import RunControl
from sync.models import FROM_THE_BEGINNING, Account, LedgerEntry, MailboxItem, MailboxState, SyncedFolder, SyncRun
from sync.store.checkpoints import DatabaseCheckpoints
from sync.store.lease import Clock, Lease, database_now
from sync.store.ledger import DatabaseLedger
from sync.store.source_change import leave_former_source
from sync.store.source_facts import remembered

log = structlog.get_logger(__name__)

DATABASE_FAILS = (OperationalError, InterfaceError, InternalError)
"""Away, full, read-only, out of connections, or a lock that did not come: a matter of PostgreSQL, and no fault of ours."""


@dataclass(frozen=True, slots=True)
class RunEnvironment:
    """What a run takes from outside. Tests give their own; nothing else differs."""

    open_source: Callable[..., Source] = open_source
    open_sink: Callable[..., Sink] = open_sink
    clock: Clock = database_now
    monotonic: Callable[[], float] = time.monotonic
    make_ledger: Callable[..., DatabaseLedger] = DatabaseLedger
    make_checkpoints: Callable[..., DatabaseCheckpoints] = DatabaseCheckpoints
    chance: Callable[[], float] = field(default=random.random)
    is_leaving: Callable[[], bool] = shutdown.is_told


def run(mailbox_id: int, around: RunEnvironment | None = None) -> SyncRun | None:
    """Sync one mailbox for at most one slice of time. None when there is nothing to do, another worker has it, or this one
    could not do it through a fault of its own: then the mailbox is as it was, and the next tick sends it again."""
    around = around or RunEnvironment()
    mailbox = _enabled(mailbox_id)
    if mailbox is None:
        MailboxState.objects.filter(pk=mailbox_id).update(queued_until=None)
        return None
    if not _can_open(mailbox):
        _send_back(mailbox, around.clock())
        return None
    lease = Lease.take(mailbox_id, settings.LEASE, around.clock)
    if lease is None:
        return None
    probes = MailboxState.objects.filter(pk=mailbox_id, probe=True).update(probe=False) > 0
    if connection_breakers.holds_back(mailbox) and not probes:
        # It was queued before the hold began: one probe asks whether it is over, and nobody else.
        probes = _becomes_the_probe(mailbox, lease.clock())
        if not probes:
            lease.release()
            return None
    with structlog.contextvars.bound_contextvars(mailbox=mailbox_id, integration=mailbox.integration_id):
        admission = _admitted(mailbox, lease)
        if admission is None:
            return None
        try:
            # Only a new sign-in shows that a password is right: a connection that is open, or a token, outlives it.
            anew = mailbox.integration.is_held or admission.is_counted
            return _run(mailbox, lease, around, probes=probes, anew=anew)
        finally:
            sign_in_budget.settle(admission)


def _becomes_the_probe(mailbox: Mailbox, now: datetime) -> bool:
    """Whether this one asks: its integration alone is held, the time of the hold is over, and it was not refused itself."""
    integration, bucket = mailbox.integration, mailbox.bucket
    is_next = integration.held_until is not None and integration.held_until <= now
    if not is_next or bucket.is_held or bucket.destination.is_held or scope_evidence.was_refused_a_password(mailbox):
        return False
    return connection_breakers.claim_probe(integration, now, now + settings.HOLD_PROBE_EVERY)


def _admitted(mailbox: Mailbox, lease: Lease) -> sign_in_budget.Admission | None:
    """None where the account must be left alone for now. Then the mailbox waits, and a hold that it should probe."""
    if not mailbox.any_refused:  # type: ignore[attr-defined]  # annotated by `_enabled`
        return sign_in_budget.FREE
    doubtful = mailbox.integration.is_held or scope_evidence.was_refused_a_password(mailbox)
    now = lease.clock()
    admission = sign_in_budget.admit(mailbox.integration, str(lease.token), now, doubtful=doubtful)
    if isinstance(admission, sign_in_budget.Admission):
        return admission
    log.info("sync.account_left_alone", until=admission.isoformat())
    outcome.postpone(mailbox, lease, admission)
    return None


def _enabled(mailbox_id: int) -> Mailbox | None:
    return (
        Mailbox.objects.select_related("integration", "bucket__destination")
        .annotate(any_refused=Exists(Account.objects.all()))
        .filter(pk=mailbox_id, enabled=True, integration__enabled=True)
        .first()
    )


def _can_open(mailbox: Mailbox) -> bool:
    """Whether this process can sync it, as far as it knows before it begins."""
    if worker_fitness.takes_none():
        return False
    try:
        open_secrets(mailbox.integration, mailbox.bucket.destination)
    except SecretUnreadable as fault:
        _note(fault)
        return False
    return True


def _send_back(mailbox: Mailbox, now: datetime) -> None:
    """What this process cannot even begin goes on its way as it came."""
    queued = MailboxState.objects.filter(pk=mailbox.pk)
    was_probe = queued.filter(probe=True).exists()
    queued.update(queued_until=None, probe=False)
    if was_probe:
        connection_breakers.give_probe_back(mailbox, now)


def _note(fault: ProcessFault) -> None:
    log.error("sync.process_fault", kind=fault.kind, hint=str(fault))
    worker_fitness.note_fault(fault.kind)


def _run(mailbox: Mailbox, lease: Lease, around: RunEnvironment, *, probes: bool, anew: bool) -> SyncRun | None:
    record = outcome.begin(mailbox, lease)
    counts = RunCounts()
    note = partial(outcome.note, record, counts)
    end: Callable[[float], SyncRun | None]
    try:
        with shutdown.breakable():
            report = _sync(mailbox, lease, around, counts, note, probes=probes, anew=anew)
        end = partial(outcome.succeeded, mailbox, lease, record, report, anew=anew)
    except shutdown.BrokenOff:
        log.warning("sync.broken_off")
        connection.close()  # it may be in the middle of a query
        end = partial(_handed_back, record, counts, around.clock, None)
    except LeaseLost as why:
        log.warning("sync.lease_lost", checkpoint_moved=isinstance(why, CheckpointMoved))
        return outcome.lost(record, counts, why)
    except Exception as error:  # noqa: BLE001  # the outermost rim: a fault of ours must cost this mailbox a delay, and nothing else
        fault = own_fault(error)
        if fault is not None:
            _note(fault)
            end = partial(_handed_back, record, counts, around.clock, fault)
        else:
            end = _failed(error, mailbox, lease, record, counts, anew=anew)
    # Not within `except`: what fails in writing it down must not carry the first error, which may quote a mail, into a log.
    return end(around.chance())


def _handed_back(record: SyncRun, counts: RunCounts, clock: Clock, fault: ProcessFault | None, chance: float) -> None:
    """`chance` is not needed: the mailbox goes on at the next tick."""
    kind, excused = (fault.kind, not fault.may_be_item) if fault else ("", True)
    outcome.hand_back(record, clock(), counts, kind=kind, excused=excused)


def _failed(
    error: Exception, mailbox: Mailbox, lease: Lease, record: SyncRun, counts: RunCounts, *, anew: bool
) -> Callable[[float], SyncRun]:
    """How to write this failure down."""
    if isinstance(error, IntegrationError):
        log.warning("sync.failed", kind=error.kind, evidence=error.evidence)
        return partial(outcome.failed, mailbox, lease, record, counts, error, anew=anew)
    if isinstance(error, DATABASE_FAILS):
        log.error("sync.database_failed", error=type(error).__name__)
        fault = DatabaseFailed(type(error).__name__)
        return partial(outcome.failed, mailbox, lease, record, counts, fault, anew=anew)
    # Neither the text nor the arguments of an unforeseen error are logged: they may quote a mail.
    log.error("sync.broke", error=type(error).__name__, where=place_of(error))
    return partial(outcome.broke, mailbox, lease, record, counts, error)


def _sync(
    mailbox: Mailbox,
    lease: Lease,
    around: RunEnvironment,
    counts: RunCounts,
    note: Callable[[], None],
    *,
    probes: bool,
    anew: bool,
) -> Report:
    bucket = mailbox.bucket
    budget.check(bucket, around.clock())
    with (
        around.open_source(mailbox.integration, mailbox.address, fresh=anew) as source,
        around.open_sink(bucket.destination, bucket.project, bucket.name) as sink,
        remembered(source, mailbox, lease),
    ):
        if probes and (bucket.is_held or bucket.destination.is_held):
            sink.check()  # there may be no mail to push, and whether the other side is well would not be seen
        _forget_if_asked(mailbox, lease)
        leave_former_source(mailbox, lease)
        _list_again_if_asked(mailbox, lease)
        take_up_rules(mailbox, lease)
        meter = budget.Meter(bucket, around.clock, around.monotonic)
        breaker = BreakerWindow(bucket.refusals, pardoned=_is_pardoned(bucket, around.clock()))
        control = RunControl(
            lease,
            settings.SYNC_SLICE.total_seconds(),
            around.monotonic,
            meter.is_reached,
            note,
            probes,
            around.is_leaving,
        )
        try:
            with converter() as convert:
                return _engine(mailbox, control, lease, around, counts, source, sink, breaker, convert).run()
        finally:
            if breaker.window != bucket.refusals:
                Bucket.objects.filter(pk=bucket.pk).update(refusals=breaker.window)


def _engine(
    mailbox: Mailbox,
    control: RunControl,
    lease: Lease,
    around: RunEnvironment,
    counts: RunCounts,
    source: Source,
    sink: Sink,
    breaker: BreakerWindow,
    convert: Convert,
) -> Engine:
    rules = mailbox.rules()
    digest = wanted_digest(rules, bucket=f"{mailbox.bucket_id}", address=mailbox.address)
    checkpoints = around.make_checkpoints(lease, mailbox.address)
    trusted = _trusted(mailbox.bucket, sink, around.clock)
    ledger = around.make_ledger(lease, mailbox.bucket_id, trusted=trusted, transform_version=transform.VERSION)
    delivery = EmailDelivery(
        sink=sink,
        ledger=ledger,
        control=control,
        transform=partial(_convert, convert, mailbox.address, checkpoints),
        rules=rules,
        judged_by=digest,
        sizes=_sizes(),
        counts=counts,
        still_trusted=partial(bucket_audit.is_trusted, mailbox.bucket_id, sink, around.clock),
        longest_wait=Latency(_new_since(mailbox), around.clock).longest,
        breaker=breaker,
    )
    wishes = DesiredMail(rules, digest, rules_versions.current(), newly_of(mailbox))
    return Engine(source, delivery, ledger, checkpoints, control, wishes)


def _convert(convert: Convert, address: str, checkpoints: DatabaseCheckpoints, email: Email) -> Outcome:
    return convert(email, transform.EmailLocation(address, checkpoints.path(email.change.folder_id)))


def _is_pardoned(bucket: Bucket, now: datetime) -> bool:
    return bucket.pardoned_until is not None and bucket.pardoned_until > now


def _new_since(mailbox: Mailbox) -> datetime | None:
    """Mail that arrived while the last run was at work may have come too late for it: it is new, too."""
    synced_at = MailboxState.objects.filter(pk=mailbox.pk).values_list("synced_at", flat=True).first()
    return synced_at - settings.SYNC_SLICE if synced_at else None


def _sizes() -> Sizes:
    return Sizes(
        fetch_count=settings.FETCH_COUNT,
        fetch_bytes=settings.FETCH_BYTES,
        push_count=settings.PUSH_COUNT,
        push_bytes=settings.PUSH_BYTES,
    )


def _trusted(bucket: Bucket, sink: Sink, clock: Clock) -> bool:
    """At first contact the bucket is looked at once: only an empty one holds nothing that we do not know."""
    if bucket.examined_at is None:
        bucket.trusted = sink.is_empty()
        bucket.examined_at = clock()
        # Of two first contacts at once only one counts: the other may see what the first has just pushed.
        first = Bucket.objects.filter(pk=bucket.pk, examined_at=None).update(
            trusted=bucket.trusted, examined_at=bucket.examined_at
        )
        if first and bucket.trusted:
            bucket_audit.found_empty(bucket.pk, bucket.examined_at)
        if not first:
            bucket.refresh_from_db(fields=["trusted", "examined_at"])
    return bucket.trusted


def _forget_if_asked(mailbox: Mailbox, lease: Lease) -> None:
    """Send again: what the ledger knows of this mailbox's comments goes, and the bucket is asked before anything is sent,
    so that only what is missing there is created."""
    asked = MailboxState.objects.filter(pk=mailbox.pk, lease_token=lease.token, send_again=True)
    if not asked.exists():
        return
    with transaction.atomic():
        Bucket.objects.filter(pk=mailbox.bucket_id).update(trusted=False, examined_at=lease.clock())
        confirmed = LedgerEntry.objects.filter(bucket=mailbox.bucket_id, state=LedgerEntry.State.CONFIRMED)
        confirmed.filter(winner_mailbox=mailbox).delete()
        MailboxItem.objects.filter(mailbox=mailbox).delete()
        asked.update(send_again=False, list_again=True)
    mailbox.bucket.refresh_from_db(fields=["trusted", "examined_at"])


def _list_again_if_asked(mailbox: Mailbox, lease: Lease) -> None:
    asked = MailboxState.objects.filter(pk=mailbox.pk, lease_token=lease.token, list_again=True)
    if asked.exists():
        SyncedFolder.objects.filter(mailbox=mailbox).update(**FROM_THE_BEGINNING)
        asked.update(list_again=False, folders_cursor="", up_to_date=False)
