"""One sync of one mailbox: take the lease, open the ports, run the engine and record the outcome."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import structlog
from django.conf import settings
from django.db import InterfaceError, InternalError, OperationalError, connection

from conversion import transform
from conversion.deadline.in_process import Convert, Outcome
from conversion.error_location import error_location
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
from sync.models import SyncRun
from sync.store import run_decisions
from sync.store.checkpoints import DatabaseCheckpoints
from sync.store.lease import Clock, Lease, database_now
from sync.store.ledger import DatabaseLedger
from sync.store.source_change import leave_foreign_source
from sync.store.source_facts import stored_facts

log = structlog.get_logger(__name__)

DATABASE_FAILS = (OperationalError, InterfaceError, InternalError)
"""Failures of the database: it is unreachable, full, read-only or out of connections, or a lock timed out."""


@dataclass(frozen=True, slots=True)
class RunEnvironment:
    """The external dependencies of a run. Tests replace these dependencies.

    Attributes:
        open_source: Opens the source of a mailbox.
        open_sink: Opens the sink of a bucket.
        clock: Returns the current time in UTC, from the clock of the database.
        monotonic: A monotonic clock in seconds.
        make_ledger: Creates the ledger of the run.
        make_checkpoints: Creates the checkpoints of the run.
        chance: Returns a random number from 0 to 1, which spreads the next syncs.
        is_shutting_down: Returns whether the shutdown of this worker was requested.
    """

    open_source: Callable[..., Source] = open_source
    open_sink: Callable[..., Sink] = open_sink
    clock: Clock = database_now
    monotonic: Callable[[], float] = time.monotonic
    make_ledger: Callable[..., DatabaseLedger] = DatabaseLedger
    make_checkpoints: Callable[..., DatabaseCheckpoints] = DatabaseCheckpoints
    chance: Callable[[], float] = field(default=random.random)
    is_shutting_down: Callable[[], bool] = shutdown.is_requested


def run(mailbox_id: int, environment: RunEnvironment | None = None) -> SyncRun | None:
    """Sync one mailbox for at most one time slice and the batch that is running when the slice ends.

    Args:
        mailbox_id: Primary key of the mailbox.
        environment: The external dependencies; None for those of production.

    Returns:
        The record of the run. None if no sync started: the mailbox or its integration is disabled, another worker holds
        the lease, a circuit breaker or the sign-in budget postpones the sync, or this process has a fault. None also if
        a fault or the shutdown of this process ended the sync. In this case, the mailbox is still due, and the next
        `sync.tasks.dispatch` queues the mailbox.
    """
    environment = environment or RunEnvironment()
    mailbox = run_decisions.enabled_mailbox(mailbox_id)
    if mailbox is None:
        run_decisions.unqueue(mailbox_id)
        return None
    if not _can_open(mailbox):
        if run_decisions.return_unstarted(mailbox.pk):
            connection_breakers.return_trial(mailbox, environment.clock())
        return None
    lease = Lease.take(mailbox_id, settings.LEASE, environment.clock)
    if lease is None:
        return None
    is_trial = run_decisions.take_trial_mark(mailbox_id)
    if connection_breakers.has_open_breaker(mailbox) and not is_trial:
        # The mailbox was queued before the circuit breaker opened. Only one half-open trial may sync.
        is_trial = _claim_trial(mailbox, lease.clock())
        if not is_trial:
            lease.release()
            return None
    with structlog.contextvars.bound_contextvars(mailbox=mailbox_id, integration=mailbox.integration_id):
        admission = _admitted(mailbox, lease)
        if admission is None:
            return None
        try:
            # Only a new sign-in tests the password: open connections and tokens stay valid after a password change.
            new_sign_in = mailbox.integration.is_held or admission.is_counted
            return _run(mailbox, lease, environment, is_trial=is_trial, new_sign_in=new_sign_in)
        finally:
            sign_in_budget.settle(admission)


def _claim_trial(mailbox: Mailbox, now: datetime) -> bool:
    """Return whether this mailbox becomes the half-open trial.

    For this, only the circuit breaker of its integration may be open, and the wait must be over. Also, the last sign-in for
    this mailbox must not have been refused, and no other mailbox may become the trial at the same time.
    """
    integration, bucket = mailbox.integration, mailbox.bucket
    is_next = integration.held_until is not None and integration.held_until <= now
    if not is_next or bucket.is_held or bucket.destination.is_held or scope_evidence.was_refused_a_password(mailbox):
        return False
    return connection_breakers.claim_trial(integration, now, now + settings.HOLD_PROBE_EVERY)


def _admitted(mailbox: Mailbox, lease: Lease) -> sign_in_budget.Admission | None:
    """Return the permission to sign in. If the sign-in budget is used up, postpone the mailbox and return None."""
    if not mailbox.any_refused:  # type: ignore[attr-defined]  # annotated by `enabled_mailbox`
        return sign_in_budget.FREE
    doubtful = mailbox.integration.is_held or scope_evidence.was_refused_a_password(mailbox)
    now = lease.clock()
    admission = sign_in_budget.admit(mailbox.integration, str(lease.token), now, doubtful=doubtful)
    if isinstance(admission, sign_in_budget.Admission):
        return admission
    log.info("sync.account_left_alone", until=admission.isoformat())
    outcome.postpone(mailbox, lease, admission)
    return None


def _can_open(mailbox: Mailbox) -> bool:
    """Return whether this process is fit to sync and can decrypt the secrets of the mailbox."""
    if worker_fitness.is_unfit():
        return False
    try:
        open_secrets(mailbox.integration, mailbox.bucket.destination)
    except SecretUnreadable as fault:
        _note_fault(fault)
        return False
    return True


def _note_fault(fault: ProcessFault) -> None:
    log.error("sync.process_fault", kind=fault.kind, hint=str(fault))
    worker_fitness.note_fault(fault.kind)


def _run(
    mailbox: Mailbox, lease: Lease, environment: RunEnvironment, *, is_trial: bool, new_sign_in: bool
) -> SyncRun | None:
    record = outcome.begin(mailbox, lease)
    counts = RunCounts()
    note = partial(outcome.note, record, counts)
    finish: Callable[[float], SyncRun | None]
    try:
        with shutdown.interruptible():
            report = _sync(mailbox, lease, environment, counts, note, is_trial=is_trial, new_sign_in=new_sign_in)
        finish = partial(outcome.succeeded, mailbox, lease, record, report, new_sign_in=new_sign_in)
    except shutdown.SyncInterrupted:
        log.warning("sync.broken_off")
        connection.close()  # the interruption may have come during a query
        finish = partial(_hand_back, record, counts, environment.clock, None)
    except LeaseLost as why:
        log.warning("sync.lease_lost", checkpoint_moved=isinstance(why, CheckpointMoved))
        return outcome.lost(record, counts, why)
    except Exception as error:  # noqa: BLE001  # the outermost handler: a bug of the product must only delay this mailbox
        fault = own_fault(error)
        if fault is not None:
            _note_fault(fault)
            finish = partial(_hand_back, record, counts, environment.clock, fault)
        else:
            finish = _failed(error, mailbox, lease, record, counts, new_sign_in=new_sign_in)
    # Outside of `except`: otherwise an error while the outcome is recorded would be chained to the first error, and
    # both would be logged. The first error may quote an email.
    return finish(environment.chance())


def _hand_back(record: SyncRun, counts: RunCounts, clock: Clock, fault: ProcessFault | None, chance: float) -> None:
    """Release the mailbox after a fault or the shutdown of this process.

    `chance` is unused, because the time at which the mailbox is due does not change.
    """
    kind, uncounted = (fault.kind, not fault.may_be_item) if fault else ("", True)
    outcome.hand_back(record, clock(), counts, kind=kind, uncounted=uncounted)


def _failed(
    error: Exception, mailbox: Mailbox, lease: Lease, record: SyncRun, counts: RunCounts, *, new_sign_in: bool
) -> Callable[[float], SyncRun]:
    """Log the error and return the function that records it."""
    if isinstance(error, IntegrationError):
        log.warning("sync.failed", kind=error.kind, evidence=error.evidence)
        return partial(outcome.failed, mailbox, lease, record, counts, error, new_sign_in=new_sign_in)
    if isinstance(error, DATABASE_FAILS):
        log.error("sync.database_failed", error=type(error).__name__)
        fault = DatabaseFailed(type(error).__name__)
        return partial(outcome.failed, mailbox, lease, record, counts, fault, new_sign_in=new_sign_in)
    # Neither the text nor the arguments of an unforeseen error are logged: they may quote an email.
    log.error("sync.broke", error=type(error).__name__, where=error_location(error))
    return partial(outcome.end_after_internal_error, mailbox, lease, record, counts, error)


def _sync(
    mailbox: Mailbox,
    lease: Lease,
    environment: RunEnvironment,
    counts: RunCounts,
    note: Callable[[], None],
    *,
    is_trial: bool,
    new_sign_in: bool,
) -> Report:
    bucket = mailbox.bucket
    budget.check(bucket, environment.clock())
    with (
        environment.open_source(mailbox.integration, mailbox.address, fresh=new_sign_in) as source,
        environment.open_sink(bucket.destination, bucket.project, bucket.name) as sink,
        stored_facts(source, mailbox, lease),
    ):
        if is_trial and (bucket.is_held or bucket.destination.is_held):
            # If there is no email to push, only this request shows whether Re:infer works.
            sink.check()
        run_decisions.drop_ledger_if_requested(mailbox, lease)
        leave_foreign_source(mailbox, lease)
        run_decisions.drop_cursors_if_requested(mailbox, lease)
        take_up_rules(mailbox, lease)
        meter = budget.Meter(bucket, environment.clock, environment.monotonic)
        breaker = BreakerWindow(bucket.refusals, pardoned=_is_pardoned(bucket, environment.clock()))
        control = RunControl(
            lease,
            settings.SYNC_SLICE.total_seconds(),
            environment.monotonic,
            meter.is_reached,
            note,
            is_trial,
            environment.is_shutting_down,
        )
        try:
            with converter() as convert:
                return _engine(mailbox, control, lease, environment, counts, source, sink, breaker, convert).run()
        finally:
            if breaker.window != bucket.refusals:
                run_decisions.record_refusals(bucket, breaker.window)


def _engine(
    mailbox: Mailbox,
    control: RunControl,
    lease: Lease,
    environment: RunEnvironment,
    counts: RunCounts,
    source: Source,
    sink: Sink,
    breaker: BreakerWindow,
    convert: Convert,
) -> Engine:
    rules = mailbox.rules()
    digest = wanted_digest(rules, bucket=f"{mailbox.bucket_id}", address=mailbox.address)
    checkpoints = environment.make_checkpoints(lease, mailbox.address)
    trusted = _is_trusted(mailbox.bucket, sink, environment.clock)
    ledger = environment.make_ledger(lease, mailbox.bucket_id, trusted=trusted, transform_version=transform.VERSION)
    delivery = EmailDelivery(
        sink=sink,
        ledger=ledger,
        control=control,
        transform=partial(_convert, convert, mailbox.address, checkpoints),
        rules=rules,
        judged_by=digest,
        sizes=_sizes(),
        counts=counts,
        still_trusted=partial(bucket_audit.is_trusted, mailbox.bucket_id, sink, environment.clock),
        longest_wait=Latency(_new_since(mailbox), environment.clock).longest,
        breaker=breaker,
    )
    desired = DesiredMail(rules, digest, rules_versions.current(), newly_of(mailbox))
    return Engine(source, delivery, ledger, checkpoints, control, desired)


def _convert(convert: Convert, address: str, checkpoints: DatabaseCheckpoints, email: Email) -> Outcome:
    return convert(email, transform.EmailLocation(address, checkpoints.path(email.change.folder_id)))


def _is_pardoned(bucket: Bucket, now: datetime) -> bool:
    return bucket.pardoned_until is not None and bucket.pardoned_until > now


def _new_since(mailbox: Mailbox) -> datetime | None:
    """Return the arrival time from which an email counts as new.

    This time is one slice before the end of the last complete sync, because that sync may have missed an email that arrived
    while it ran.
    """
    synced_at = run_decisions.last_synced_at(mailbox.pk)
    return synced_at - settings.SYNC_SLICE if synced_at else None


def _sizes() -> Sizes:
    return Sizes(
        fetch_count=settings.FETCH_COUNT,
        fetch_bytes=settings.FETCH_BYTES,
        push_count=settings.PUSH_COUNT,
        push_bytes=settings.PUSH_BYTES,
    )


def _is_trusted(bucket: Bucket, sink: Sink, clock: Clock) -> bool:
    """Return whether the ledger lists every comment of the bucket.

    The bucket is checked once, before its first push. If it is empty then, it contains no unknown comment.
    """
    if bucket.examined_at is None:
        is_empty = sink.is_empty()
        now = clock()
        if run_decisions.record_first_contact(bucket, trusted=is_empty, at=now) and is_empty:
            bucket_audit.found_empty(bucket.pk, now)
    return bucket.trusted
