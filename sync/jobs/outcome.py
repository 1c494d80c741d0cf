"""How a run ended, written down: the run itself, when the mailbox is due again, and what is held or disabled."""

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
from sync.store.checkpoints import excuse
from sync.store.lease import Lease

Outcome = SyncRun.Outcome

CHECKPOINT_MOVED = "checkpoint_moved"
MOMENT = timedelta(minutes=1)
PROBE_AGAIN = timedelta(minutes=1)
"""After a probe that met something else, and so told nothing of what it was sent for."""


def begin(mailbox: Mailbox, lease: Lease) -> SyncRun:
    """Open the record of a run. What an earlier worker left open was lost with it."""
    now = lease.clock()
    SyncRun.objects.filter(mailbox=mailbox, outcome=Outcome.RUNNING).update(outcome=Outcome.LOST, ended_at=now)
    return SyncRun.objects.create(
        mailbox=mailbox, lease_token=lease.token, worker=processes.this_process(), started_at=now
    )


def note(record: SyncRun, counts: RunCounts) -> None:
    """How far a run is that goes on: for people, who watch it."""
    SyncRun.objects.filter(pk=record.pk, outcome=Outcome.RUNNING).update(**asdict(counts))


def succeeded(mailbox: Mailbox, lease: Lease, record: SyncRun, report: Report, chance: float, *, anew: bool) -> SyncRun:
    """A sync that worked. `anew`: it signed in anew."""
    now = lease.clock()
    connection_breakers.lift_all(mailbox, accepted=report.counts.created + report.counts.updated)
    if anew:
        _works(mailbox, now)
    # As often as one that gets mail, while its folders are looked through: each sync does a part of that.
    newest = None if report.looking else _newest(mailbox) or mailbox.created_at
    wait = retry_policy.next_sync(now, interval(mailbox.integration), newest=newest, chance=chance)
    values: dict[str, object] = {"failures": 0, "failing_since": None, "error_kind": "", "error_text": ""}
    values |= {"refused_alone": False}
    if report.finished:
        # The pass over the folders is complete: see `sync.engine.folder_order`.
        new_pass = {"round": F("round") + 1, "pass_began": F("round") + 1}
        values |= {"synced_at": now, "up_to_date": True, "next_sync_at": wait, **new_pass}
    else:
        values |= {"up_to_date": False, "next_sync_at": now}
    _give_back(lease, values)
    # A pass that goes on has not looked at every folder yet.
    whole = report.finished and not report.left_out
    recovered(mailbox.integration_id, mailbox.pk, (str(mailbox.integration), str(mailbox)), whole=whole)
    if report.left_out:
        _tell_left_out(mailbox)
    if report.counts.set_aside:
        _tell_set_aside(mailbox, report.counts.set_aside)
    ended = Outcome.DONE if report.finished else Outcome.STOPPED if report.stopped else Outcome.YIELDED
    return _close(record, ended, report.counts, now)


@transaction.atomic
def _tell_left_out(mailbox: Mailbox) -> None:
    """Of folders that nobody was told of yet."""
    # Of several workers that find the same at once, one begins the notice and the others are counted in it.
    Integration.objects.select_for_update().get(pk=mailbox.integration_id)
    untold = SyncedFolder.objects.left_out().filter(mailbox=mailbox, told_of=False)
    one = untold.first()
    if one is None:
        return
    error = (error_of(one.refused_kind) or FolderRefused)(one.refused_detail)
    count = untold.update(told_of=True)
    announce_left_out(str(mailbox), count, error, integration_id=mailbox.integration_id, mailbox_id=mailbox.pk)


def _tell_set_aside(mailbox: Mailbox, count: int) -> None:
    noun = "email was" if count == 1 else f"{count:,} emails were"
    text = f"{'An' if count == 1 else ''} {noun} set aside in {mailbox}.".strip()
    announce(
        NotificationKind.EMAIL_SET_ASIDE,
        text,
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
    anew: bool,
) -> SyncRun:
    """A named error: the policy decides, and this carries it out. `anew`: the sync signed in anew."""
    now = lease.clock()
    state = MailboxState.objects.filter(pk=mailbox.pk).select_related("mailbox__integration").first()
    if state is None:  # deleted meanwhile
        return _close(record, Outcome.FAILED, counts, now, error.kind, str(error))
    if repeated_errors.may_settle(error):
        error = repeated_errors.settled(error, _ended_before(record))
    if anew and clears_by_refusal(error.evidence, permanent=isinstance(error, Refused)):
        _works(mailbox, now)
    decision = decide(mailbox, error, now, chance, key=str(lease.token), state=state)
    due = _carry_out(decision, mailbox, error, now)
    if mailbox.integration.is_held and not _is_of_connection(decision):
        connection_breakers.ask_again(mailbox.integration, now + PROBE_AGAIN)
    _give_back(lease, _failure(error.kind, str(error), due, now))
    return _close(record, Outcome.FAILED, counts, now, error.kind, str(error))


def _ended_before(record: SyncRun) -> list[str]:
    """The kinds of error with which the last syncs of the mailbox ended, newest first; blank of one that worked."""
    ended = SyncRun.objects.filter(mailbox=record.mailbox_id, started_at__lte=record.started_at).exclude(pk=record.pk)
    last = ended.exclude(outcome__in=[Outcome.RUNNING, Outcome.LOST]).order_by("-started_at", "-pk")
    return list(last.values_list("error_kind", flat=True)[: repeated_errors.IN_A_ROW])


def decide(
    mailbox: Mailbox, error: IntegrationError, now: datetime, chance: float, *, key: str, state: MailboxState
) -> retry_policy.Decision:
    """Whose fault it is, and what next. A refused sign-in is counted for its account first. `key` names the attempt."""
    seen = scope_evidence.seen(mailbox, error.evidence, now)
    if error.evidence is Evidence.PASSWORD:
        sign_in_budget.refused(mailbox.integration, key, now, doubted=not seen.refused_alone)
    row = error_scope.decide(error.evidence, seen)
    held = connection_breakers.held_by(mailbox, row.fault)
    past = retry_policy.FailureHistory(state.failures, state.failing_since, held.held_since if held else None, seen)
    patience = retry_policy.BreakerPatience(settings.HOLD_PROBE_EVERY, settings.DISABLE_AFTER)
    return retry_policy.after_failure(error, now=now, past=past, chance=chance, patience=patience)


def _works(mailbox: Mailbox, now: datetime) -> None:
    """The connection works, as a new sign-in for this mailbox showed. Those that were refused meanwhile are asked again; what
    is refused from now on is refused to them alone."""
    integration = mailbox.integration
    sign_in_budget.worked(integration)
    if not (integration.is_held and connection_breakers.lift(integration)):
        return
    neighbours = MailboxState.objects.filter(mailbox__integration=integration).exclude(pk=mailbox.pk)
    neighbours.filter(scope_evidence.refused_by_response()).update(next_sync_at=now)
    # A refusal of a moment ago need not be repeated: the answer would be the same.
    lasted = now - (integration.held_since or now)
    again = now if lasted > MOMENT else now + settings.HOLD_PROBE_EVERY
    alone = neighbours.filter(scope_evidence.refused_a_password(), refused_alone=False)
    alone.update(refused_alone=True, next_sync_at=again)


def _is_of_connection(decision: retry_policy.Decision) -> bool:
    return not isinstance(decision, retry_policy.RetryAt) and decision.scope is Scope.CONNECTION


def broke(
    mailbox: Mailbox, lease: Lease, record: SyncRun, counts: RunCounts, error: Exception, chance: float
) -> SyncRun:
    """A fault of our own: its type is told, never its text, which may quote a mail."""
    now = lease.clock()
    fault = InternalFault(type(error).__name__)
    state = MailboxState.objects.filter(pk=mailbox.pk).first()
    if state is None:  # deleted meanwhile
        return _close(record, Outcome.FAILED, counts, now, fault.kind, str(fault))
    past = retry_policy.FailureHistory(state.failures, state.failing_since)
    decision = retry_policy.after_failure(None, now=now, past=past, chance=chance)
    due = decision.at if isinstance(decision, retry_policy.RetryAt) else now
    _give_back(lease, _failure(fault.kind, str(fault), due, now))
    return _close(record, Outcome.FAILED, counts, now, fault.kind, str(fault))


def postpone(mailbox: Mailbox, lease: Lease, at: datetime) -> None:
    """It may not begin before then: it gives its place back, and the probe of a hold waits as long."""
    if mailbox.integration.is_held:
        connection_breakers.ask_later(mailbox.integration, at)
        lease.release()
        return
    MailboxState.objects.filter(pk=lease.mailbox_id, lease_token=lease.token).update(
        lease_token=None, lease_until=None, next_sync_at=at
    )


def lost(record: SyncRun, counts: RunCounts, why: LeaseLost) -> SyncRun:
    kind = CHECKPOINT_MOVED if isinstance(why, CheckpointMoved) else ""
    return _close(record, Outcome.LOST, counts, None, kind)


@transaction.atomic
def hand_back(
    record: SyncRun, now: datetime, counts: RunCounts | None = None, *, kind: str = "", excused: bool = True
) -> None:
    """A run that ended through a fault of its own process, or since its worker was told to leave: its mailbox is free at
    once and as due as it was, and nothing counts as a failure. `counts`: what it did, where that is known. `kind`: of the
    fault, if there was one. `excused`: nor does the attempt at the page in hand count against an email of it."""
    states = MailboxState.objects.select_for_update().filter(pk=record.mailbox_id, lease_token=record.lease_token)
    if states.exists():
        if excused:
            folders = SyncedFolder.objects.filter(mailbox=record.mailbox_id)
            excuse(folders.filter(attempt_of=record.lease_token))
            folders.exclude(item_in_hand="").update(item_in_hand="")
        states.update(lease_token=None, lease_until=None)
        connection_breakers.give_probe_back(record.mailbox, now)
    if counts is not None:
        _close(record, Outcome.LOST, counts, now, kind)
    else:
        open_run = SyncRun.objects.filter(pk=record.pk, outcome=Outcome.RUNNING)
        open_run.update(outcome=Outcome.LOST, ended_at=now, error_kind=kind)


def interval(integration: Integration) -> timedelta:
    """How often the mailboxes of this integration are looked at."""
    chosen = timedelta(seconds=integration.poll_interval) if integration.poll_interval else settings.POLL_INTERVAL
    return max(chosen, settings.POLL_INTERVAL_LEAST)


def _carry_out(decision: retry_policy.Decision, mailbox: Mailbox, error: IntegrationError, now: datetime) -> datetime:
    match decision:
        case retry_policy.RetryAt(at=at):
            return at
        case retry_policy.OpenCircuit(scope=scope, until=until):
            row = connection_breakers.held_by(mailbox, scope)
            if row is not None:
                connection_breakers.hold(row, until, error, now)
            # The hold keeps it back; when it is lifted, the mailbox is due at once.
            return now
        case retry_policy.Suspend(scope=scope, reason=reason):
            _suspend(mailbox, scope, reason, error, now)
    return now


@transaction.atomic
def _suspend(mailbox: Mailbox, scope: Scope, reason: str, error: IntegrationError, now: datetime) -> None:
    """Disable the part that fails, and only that; and tell of it once, however many mailboxes it is."""
    # `updated_at` stays: it says when people changed it, and forms and documents are compared with it.
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
        _tell(mailbox, scope, error, count)


def _tell(mailbox: Mailbox, scope: Scope, error: IntegrationError, count: int) -> None:
    if scope in (Scope.MAILBOX, Scope.FOLDER):
        # Of several workers that find the same at once, one begins the notice and the others are counted in it.
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
    whole = scope is Scope.CONNECTION
    name = str(mailbox.integration if whole else mailbox)
    others = "" if whole or count == 1 else f" and {count - 1:,} more mailboxes"
    kind = NotificationKind.INTEGRATION_DISABLED if whole else NotificationKind.MAILBOX_DISABLED
    announce(
        NotificationKind.BUDGET_REACHED if isinstance(error, BudgetReached) else kind,
        f"{name}{others} stopped: {error}",
        integration_id=mailbox.integration_id,
        mailbox_id=None if whole else mailbox.pk,
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


def _give_back(lease: Lease, values: dict[str, object]) -> None:
    """Write the state and release the lease in one statement: nobody ever sees the one without the other."""
    if not values["up_to_date"]:
        _let_go(lease)
    folders = SyncedFolder.objects.filter(mailbox=OuterRef("pk")).order_by().values("mailbox")
    pages = Coalesce(Subquery(folders.annotate(n=Sum("pages")).values("n")), 0)
    MailboxState.objects.filter(pk=lease.mailbox_id, lease_token=lease.token).update(
        lease_token=None, lease_until=None, pages=Greatest(F("pages"), pages), **values
    )


def _let_go(lease: Lease) -> None:
    """Of a sync that did not come to its end: its worker lives, so no email that it had in hand ended it."""
    held = SyncedFolder.objects.filter(mailbox=lease.mailbox_id, mailbox__state__lease_token=lease.token)
    held.exclude(item_in_hand="").update(item_in_hand="")


def _close(
    record: SyncRun, outcome: str, counts: RunCounts, now: datetime | None, kind: str = "", text: str = ""
) -> SyncRun:
    values = {**asdict(counts), "outcome": outcome, "ended_at": now, "error_kind": kind, "error_text": text}
    for name, value in values.items():
        setattr(record, name, value)
    with transaction.atomic():
        # An update and no save: the mailbox, and the run with it, may have been deleted meanwhile.
        if SyncRun.objects.filter(pk=record.pk).update(**values):
            activity.add(record.mailbox, counts, now or record.started_at)
    return record


def _newest(mailbox: Mailbox) -> datetime | None:
    newest: datetime | None = SyncedFolder.objects.filter(mailbox=mailbox).aggregate(n=Max("synced_until"))["n"]
    return newest
