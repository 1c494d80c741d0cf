"""Record the outcome of a run.

This module writes the record of the run, the time of the next sync, and the state of circuit breakers. After a
persistent error or a reached quota, the part at fault is disabled. Notifications about these events are stored.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce, Greatest

from integrations.errors import (
    BudgetReached,
    Evidence,
    FolderRefused,
    IntegrationError,
    InternalFault,
    Refused,
    Scope,
    error_of,
)
from integrations.models import DisabledReason, Integration
from mailboxes.models import Mailbox
from notifications.models import NotificationKind
from notifications.outbox import announce, announce_left_out, announce_stopped, recovered
from sync.engine import error_scope, repeated_errors, retry_policy
from sync.engine.error_scope import clears_by_refusal
from sync.engine.ports import CheckpointMoved, LeaseLost
from sync.engine.records import Report, RunCounts
from sync.jobs import activity, connection_breakers, processes, scope_evidence, sign_in_budget
from sync.models import MailboxState, SyncedFolder, SyncRun
from sync.store.checkpoints import uncount_attempts
from sync.store.lease import Lease

Outcome = SyncRun.Outcome

CHECKPOINT_MOVED = "checkpoint_moved"
"""Error kind of a run that ended because another run moved a checkpoint of the mailbox, or an administrator dropped
it."""
RECENT_REFUSAL = timedelta(minutes=1)
"""If the circuit breaker of a connection was open for no longer than this, the mailboxes whose sign-in was refused are
retried only after `HOLD_PROBE_EVERY`. An earlier sign-in would probably be refused again."""
TRIAL_RETRY = timedelta(minutes=1)
"""Longest wait for the next half-open trial, after a trial failed with an error that does not show whether the
connection works."""


def begin(mailbox: Mailbox, lease: Lease) -> SyncRun:
    """Create the record of a run. Open records of earlier runs of the mailbox are closed as lost.

    Args:
        mailbox: The mailbox of the run.
        lease: The lease of the run.

    Returns:
        The new record.
    """
    now = lease.clock()
    SyncRun.objects.filter(mailbox=mailbox, outcome=Outcome.RUNNING).update(outcome=Outcome.LOST, ended_at=now)
    return SyncRun.objects.create(
        mailbox=mailbox, lease_token=lease.token, worker=processes.this_process(), started_at=now
    )


def note(record: SyncRun, counts: RunCounts) -> None:
    """Record the progress of a run that has not ended, for the pages.

    Args:
        record: The record of the run.
        counts: The counts so far.
    """
    SyncRun.objects.filter(pk=record.pk, outcome=Outcome.RUNNING).update(**asdict(counts))


def succeeded(
    mailbox: Mailbox, lease: Lease, record: SyncRun, report: Report, chance: float, *, new_sign_in: bool
) -> SyncRun:
    """Record a sync that worked.

    Args:
        mailbox: The mailbox of the run.
        lease: The lease of the run.
        record: The record of the run.
        report: The result of the engine.
        chance: A random number from 0 to 1, which spreads the next syncs.
        new_sign_in: Whether the run signed in, instead of using an open connection or a token.

    Returns:
        The closed record.
    """
    now = lease.clock()
    connection_breakers.close_after_success(mailbox, accepted=report.counts.created + report.counts.updated)
    if new_sign_in:
        _close_after_sign_in(mailbox, now)
    # During a rescan, poll as often as a mailbox that receives mail: each sync does a part of the rescan.
    newest = None if report.is_rescanning else _newest(mailbox) or mailbox.created_at
    next_sync_at = retry_policy.next_sync(now, interval(mailbox.integration), newest=newest, chance=chance)
    values: dict[str, object] = {"failures": 0, "failing_since": None, "error_kind": "", "error_text": ""}
    values |= {"refused_alone": False}
    if report.finished:
        # The pass over the folders is complete: see `sync.engine.folder_order`.
        new_pass = {"round": F("round") + 1, "pass_began": F("round") + 1}
        values |= {"synced_at": now, "up_to_date": True, "next_sync_at": next_sync_at, **new_pass}
    else:
        values |= {"up_to_date": False, "next_sync_at": now}
    _release(lease, values)
    # Before the end of a pass, not every folder has been read.
    whole = report.finished and not report.left_out
    recovered(mailbox.integration_id, mailbox.pk, (str(mailbox.integration), str(mailbox)), whole=whole)
    if report.left_out:
        _announce_left_out(mailbox)
    if report.counts.set_aside:
        _announce_dead_letters(mailbox, report.counts.set_aside)
    ended = Outcome.DONE if report.finished else Outcome.STOPPED if report.stopped else Outcome.YIELDED
    return _close(record, ended, report.counts, now)


@transaction.atomic
def _announce_left_out(mailbox: Mailbox) -> None:
    """Announce the folders that cannot be read and were not announced before."""
    # The row lock serializes workers that detect the same error: one creates the notification, the others extend it.
    Integration.objects.select_for_update().get(pk=mailbox.integration_id)
    not_announced = SyncedFolder.objects.left_out().filter(mailbox=mailbox, told_of=False)
    first = not_announced.first()
    if first is None:
        return
    error = (error_of(first.refused_kind) or FolderRefused)(first.refused_detail)
    count = not_announced.update(told_of=True)
    announce_left_out(str(mailbox), count, error, integration_id=mailbox.integration_id, mailbox_id=mailbox.pk)


def _announce_dead_letters(mailbox: Mailbox, count: int) -> None:
    subject, verb = ("An email", "is") if count == 1 else (f"{count:,} emails", "are")
    announce(
        NotificationKind.EMAIL_SET_ASIDE,
        f"{subject} of {mailbox} could not be delivered and {verb} listed under Failed emails.",
        integration_id=mailbox.integration_id,
        mailbox_id=mailbox.pk,
        facts={"emails": count},
    )


def failed(
    mailbox: Mailbox,
    lease: Lease,
    record: SyncRun,
    counts: RunCounts,
    error: IntegrationError,
    chance: float,
    *,
    new_sign_in: bool,
) -> SyncRun:
    """Record a sync that failed with an `IntegrationError`, and apply the decision of the retry policy.

    Args:
        mailbox: The mailbox of the run.
        lease: The lease of the run.
        record: The record of the run.
        counts: The counts of the run.
        error: The error.
        chance: A random number from 0 to 1, which spreads the next syncs.
        new_sign_in: Whether the run signed in, instead of using an open connection or a token.

    Returns:
        The closed record.
    """
    now = lease.clock()
    state = MailboxState.objects.filter(pk=mailbox.pk).select_related("mailbox__integration").first()
    if state is None:  # deleted meanwhile
        return _close(record, Outcome.FAILED, counts, now, error.kind, str(error))
    if repeated_errors.may_settle(error):
        error = repeated_errors.settled(error, _ended_before(record))
    if new_sign_in and clears_by_refusal(error.evidence, permanent=isinstance(error, Refused)):
        _close_after_sign_in(mailbox, now)
    decision = decide(mailbox, error, now, chance, key=str(lease.token), state=state)
    due = _carry_out(decision, mailbox, error, now)
    if mailbox.integration.is_held and not _is_of_connection(decision):
        connection_breakers.advance_trial(mailbox.integration, now + TRIAL_RETRY)
    _release(lease, _failure(error.kind, str(error), due, now))
    return _close(record, Outcome.FAILED, counts, now, error.kind, str(error))


def _ended_before(record: SyncRun) -> list[str]:
    """Return the error kinds of the last syncs of the mailbox, newest first; an empty text for a sync that worked."""
    ended = SyncRun.objects.filter(mailbox=record.mailbox_id, started_at__lte=record.started_at).exclude(pk=record.pk)
    last = ended.exclude(outcome__in=[Outcome.RUNNING, Outcome.LOST]).order_by("-started_at", "-pk")
    return list(last.values_list("error_kind", flat=True)[: repeated_errors.IN_A_ROW])


def decide(
    mailbox: Mailbox, error: IntegrationError, now: datetime, chance: float, *, key: str, state: MailboxState
) -> retry_policy.Decision:
    """Decide which part is at fault and what happens next. Before the decision, a refused sign-in is counted.

    Args:
        mailbox: The mailbox whose sync failed.
        error: The error.
        now: The current time in UTC.
        chance: A random number from 0 to 1, which spreads the next syncs.
        key: Identifies the sign-in attempt, so that it is counted once.
        state: The state of the mailbox before this failure.

    Returns:
        The decision of the retry policy.
    """
    evidence = scope_evidence.collect(mailbox, error.evidence, now)
    if error.evidence is Evidence.PASSWORD:
        sign_in_budget.refused(mailbox.integration, key, now, doubted=not evidence.refused_alone)
    scope = error_scope.decide(error.evidence, evidence)
    row = connection_breakers.breaker_row(mailbox, scope.fault)
    past = retry_policy.FailureHistory(state.failures, state.failing_since, row.held_since if row else None, evidence)
    patience = retry_policy.BreakerPatience(settings.HOLD_PROBE_EVERY, settings.DISABLE_AFTER)
    return retry_policy.after_failure(error, now=now, past=past, chance=chance, patience=patience)


def _close_after_sign_in(mailbox: Mailbox, now: datetime) -> None:
    """Close the circuit breaker of the connection, because a new sign-in for this mailbox worked.

    The mailboxes that were refused are retried, at once or after `HOLD_PROBE_EVERY`. If the sign-in for one of these
    mailboxes is refused again, only that mailbox is at fault.
    """
    integration = mailbox.integration
    sign_in_budget.record_success(integration)
    if not (integration.is_held and connection_breakers.close_breaker(integration)):
        return
    neighbours = MailboxState.objects.filter(mailbox__integration=integration).exclude(pk=mailbox.pk)
    neighbours.filter(scope_evidence.refused_by_response()).update(next_sync_at=now)
    lasted = now - (integration.held_since or now)
    retry_at = now if lasted > RECENT_REFUSAL else now + settings.HOLD_PROBE_EVERY
    refused = neighbours.filter(scope_evidence.refused_a_password(), refused_alone=False)
    refused.update(refused_alone=True, next_sync_at=retry_at)


def _is_of_connection(decision: retry_policy.Decision) -> bool:
    return not isinstance(decision, retry_policy.RetryAt) and decision.scope is Scope.CONNECTION


def end_after_internal_error(
    mailbox: Mailbox, lease: Lease, record: SyncRun, counts: RunCounts, error: Exception, chance: float
) -> SyncRun:
    """Record a sync that failed with an unforeseen error. Only the type is stored: the text may quote an email.

    Args:
        mailbox: The mailbox of the run.
        lease: The lease of the run.
        record: The record of the run.
        counts: The counts of the run.
        error: The error.
        chance: A random number from 0 to 1, which spreads the next syncs.

    Returns:
        The closed record.
    """
    now = lease.clock()
    fault = InternalFault(type(error).__name__)
    state = MailboxState.objects.filter(pk=mailbox.pk).first()
    if state is None:  # deleted meanwhile
        return _close(record, Outcome.FAILED, counts, now, fault.kind, str(fault))
    past = retry_policy.FailureHistory(state.failures, state.failing_since)
    decision = retry_policy.after_failure(None, now=now, past=past, chance=chance)
    due = decision.at if isinstance(decision, retry_policy.RetryAt) else now
    _release(lease, _failure(fault.kind, str(fault), due, now))
    return _close(record, Outcome.FAILED, counts, now, fault.kind, str(fault))


def postpone(mailbox: Mailbox, lease: Lease, at: datetime) -> None:
    """Release the lease of a run that may not start yet, and delay the sync.

    If the circuit breaker of the integration is open, its next half-open trial is delayed instead of this mailbox.

    Args:
        mailbox: The mailbox of the run.
        lease: The lease of the run.
        at: When the mailbox may sync, in UTC.
    """
    if mailbox.integration.is_held:
        connection_breakers.delay_trial(mailbox.integration, at)
        lease.release()
        return
    MailboxState.objects.filter(pk=lease.mailbox_id, lease_token=lease.token).update(
        lease_token=None, lease_until=None, next_sync_at=at
    )


def lost(record: SyncRun, counts: RunCounts, why: LeaseLost) -> SyncRun:
    """Record a run that lost its lease.

    Args:
        record: The record of the run.
        counts: The counts of the run.
        why: How the loss was detected.

    Returns:
        The closed record.
    """
    kind = CHECKPOINT_MOVED if isinstance(why, CheckpointMoved) else ""
    return _close(record, Outcome.LOST, counts, None, kind)


@transaction.atomic
def hand_back(
    record: SyncRun, now: datetime, counts: RunCounts | None = None, *, kind: str = "", uncounted: bool = True
) -> None:
    """Record a run that ended because of a fault of its process, or because its worker shut down.

    The lease is released at once, the due time of the mailbox does not change, and no failure is counted.

    Args:
        record: The record of the run.
        now: The current time in UTC.
        counts: The counts of the run, or None if they are not known.
        kind: Kind of the fault; empty when there was none.
        uncounted: Whether the attempt at the current page is not counted, because no email of that page is at fault.
    """
    states = MailboxState.objects.select_for_update().filter(pk=record.mailbox_id, lease_token=record.lease_token)
    if states.exists():
        if uncounted:
            folders = SyncedFolder.objects.filter(mailbox=record.mailbox_id)
            uncount_attempts(folders.filter(attempt_of=record.lease_token))
            folders.exclude(item_in_hand="").update(item_in_hand="")
        states.update(lease_token=None, lease_until=None)
        connection_breakers.return_trial(record.mailbox, now)
    if counts is not None:
        _close(record, Outcome.LOST, counts, now, kind)
    else:
        open_run = SyncRun.objects.filter(pk=record.pk, outcome=Outcome.RUNNING)
        open_run.update(outcome=Outcome.LOST, ended_at=now, error_kind=kind)


def interval(integration: Integration) -> timedelta:
    """Return the poll interval of the mailboxes of an integration.

    Args:
        integration: The integration, which may override `POLL_INTERVAL`.

    Returns:
        The configured time between two syncs of a mailbox, but at least `POLL_INTERVAL_LEAST`.
    """
    chosen = timedelta(seconds=integration.poll_interval) if integration.poll_interval else settings.POLL_INTERVAL
    return max(chosen, settings.POLL_INTERVAL_LEAST)


def _carry_out(decision: retry_policy.Decision, mailbox: Mailbox, error: IntegrationError, now: datetime) -> datetime:
    match decision:
        case retry_policy.RetryAt(at=at):
            return at
        case retry_policy.OpenCircuit(scope=scope, until=until):
            row = connection_breakers.breaker_row(mailbox, scope)
            if row is not None:
                connection_breakers.open_breaker(row, until, error, now)
            # The open circuit breaker prevents a sync; when it closes, the mailbox is due at once.
            return now
        case retry_policy.Suspend(scope=scope, reason=reason):
            _suspend(mailbox, scope, reason, error, now)
    return now


@transaction.atomic
def _suspend(mailbox: Mailbox, scope: Scope, reason: str, error: IntegrationError, now: datetime) -> None:
    """Disable the part at fault, and announce it once for all of its mailboxes."""
    # `updated_at` is not set: it is the time of the last change by a person, and forms and documents compare it.
    disabled = {
        "enabled": False,
        "disabled_reason": DisabledReason(reason),
        "disabled_kind": error.kind,
        "disabled_detail": error.detail,
        "disabled_at": now,
    }
    match scope:
        case Scope.CONNECTION:
            count = Integration.objects.filter(pk=mailbox.integration_id, enabled=True).update(**disabled)
        case Scope.DESTINATION:
            same = Mailbox.objects.filter(bucket__destination=mailbox.bucket.destination_id, enabled=True)
            count = same.update(**disabled)
        case Scope.BUCKET:
            count = Mailbox.objects.filter(bucket=mailbox.bucket_id, enabled=True).update(**disabled)
        case _:
            count = Mailbox.objects.filter(pk=mailbox.pk, enabled=True).update(**disabled)
    if count:
        _announce_disabled(mailbox, scope, error, count)


def _announce_disabled(mailbox: Mailbox, scope: Scope, error: IntegrationError, count: int) -> None:
    if scope in (Scope.MAILBOX, Scope.FOLDER):
        # The row lock serializes workers that detect the same error: one creates the notification, the others extend it.
        Integration.objects.select_for_update().get(pk=mailbox.integration_id)
        announce_stopped(
            str(mailbox),
            str(error),
            error.kind,
            integration_id=mailbox.integration_id,
            mailbox_id=mailbox.pk,
            bucket=str(mailbox.bucket),
        )
        return
    is_connection = scope is Scope.CONNECTION
    name = str(mailbox.integration if is_connection else mailbox)
    others = "" if is_connection or count == 1 else f" and {count - 1:,} more mailbox{'es' if count > 2 else ''}"
    kind = NotificationKind.INTEGRATION_DISABLED if is_connection else NotificationKind.MAILBOX_DISABLED
    announce(
        NotificationKind.BUDGET_REACHED if isinstance(error, BudgetReached) else kind,
        f"{name}{others} stopped: {error}",
        integration_id=mailbox.integration_id,
        mailbox_id=None if is_connection else mailbox.pk,
        facts={"error": error.kind, "mailboxes": count, "bucket": str(mailbox.bucket)},
    )


def _failure(kind: str, text: str, due: datetime, now: datetime) -> dict[str, object]:
    return {
        "failures": F("failures") + 1,
        "failing_since": Coalesce(F("failing_since"), now),
        "error_kind": kind,
        "error_text": text,
        "up_to_date": False,
        "next_sync_at": due,
    }


def _release(lease: Lease, values: dict[str, object]) -> None:
    """Write the state and release the lease in one statement, so that no process sees one without the other."""
    if not values["up_to_date"]:
        _clear_item_in_hand(lease)
    folders = SyncedFolder.objects.filter(mailbox=OuterRef("pk")).order_by().values("mailbox")
    pages = Coalesce(Subquery(folders.annotate(n=Sum("pages")).values("n")), 0)
    MailboxState.objects.filter(pk=lease.mailbox_id, lease_token=lease.token).update(
        lease_token=None, lease_until=None, pages=Greatest(F("pages"), pages), **values
    )


def _clear_item_in_hand(lease: Lease) -> None:
    """Clear the current email of a sync that did not finish. The worker is alive, so this email did not crash it."""
    current = SyncedFolder.objects.filter(mailbox=lease.mailbox_id, mailbox__state__lease_token=lease.token)
    current.exclude(item_in_hand="").update(item_in_hand="")


def _close(
    record: SyncRun, outcome: str, counts: RunCounts, now: datetime | None, kind: str = "", text: str = ""
) -> SyncRun:
    values = {**asdict(counts), "outcome": outcome, "ended_at": now, "error_kind": kind, "error_text": text}
    for name, value in values.items():
        setattr(record, name, value)
    with transaction.atomic():
        # `update` instead of `save`: the mailbox and its runs may have been deleted meanwhile.
        if SyncRun.objects.filter(pk=record.pk).update(**values):
            activity.add(record.mailbox, counts, now or record.started_at)
    return record


def _newest(mailbox: Mailbox) -> datetime | None:
    newest: datetime | None = SyncedFolder.objects.filter(mailbox=mailbox).aggregate(n=Max("synced_until"))["n"]
    return newest
