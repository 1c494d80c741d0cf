"""What next, and when, as a value: somebody else carries it out. Pure; the clock and chance are passed in."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from integrations.errors import Evidence, IntegrationError, QuotaReached, Refused, Scope
from sync.engine.error_scope import Action, ConnectionEvidence, decide

FIRST_DELAY = timedelta(seconds=15)
LONGEST_DELAY = timedelta(minutes=15)
LONGEST_HOLD = timedelta(minutes=4)
"""Of a trouble that passes: one probe costs one request, and when it is over, everything goes on within five minutes."""
DORMANT_AFTER = timedelta(days=7)
DORMANT_FACTOR = 5
LONGEST_INTERVAL = timedelta(minutes=15)
JITTER = 0.1


@dataclass(frozen=True, slots=True)
class RetryAt:
    """This mailbox alone waits."""

    at: datetime


@dataclass(frozen=True, slots=True)
class OpenCircuit:
    """Everything behind this scope waits; after `until` a single mailbox is sent as a probe."""

    scope: Scope
    until: datetime


@dataclass(frozen=True, slots=True)
class Suspend:
    """Everything in this scope is disabled until an admin starts it again."""

    scope: Scope
    reason: str
    """`quota` or `sync_error`."""


Decision = RetryAt | OpenCircuit | Suspend


@dataclass(frozen=True, slots=True)
class FailureHistory:
    """How it went before this failure."""

    failures: int = 0
    """Failed syncs of this mailbox in a row, this one not counted."""
    failing_since: datetime | None = None
    held_since: datetime | None = None
    """Since when the part at fault is held."""
    seen: ConnectionEvidence = field(default_factory=ConnectionEvidence)
    """What is known of its connection."""


@dataclass(frozen=True, slots=True)
class BreakerPatience:
    """How slowly a refusal is probed, and how long it may stay before the failing part is disabled."""

    probe_every: timedelta = timedelta(minutes=20)
    disable_after: timedelta = timedelta(days=3)


def after_failure(
    error: IntegrationError | None,
    *,
    now: datetime,
    past: FailureHistory,
    chance: float,
    patience: BreakerPatience | None = None,
) -> Decision:
    """What to do after a failed sync. `error` is None for a fault of our own; `chance` is drawn from [0, 1)."""
    patience = patience or BreakerPatience()
    if error is None:
        return RetryAt(now + _jittered(_backoff(past.failures), chance))
    if isinstance(error, QuotaReached):
        return Suspend(error.scope, "quota")
    refused = isinstance(error, Refused)
    row = decide(error.evidence, replace(past.seen, passes=not refused))
    held_alone = row.fault in (Scope.MAILBOX, Scope.FOLDER)
    since = past.failing_since if held_alone else past.held_since
    if refused and since is not None and now - since >= patience.disable_after:
        return Suspend(row.fault, "sync_error")
    if row.action is Action.PROBE:
        return OpenCircuit(row.fault, now)
    asked = error.retry_after or timedelta(0)
    if held_alone:
        wait = patience.probe_every if refused else max(asked, _jittered(_backoff(past.failures), chance))
        return RetryAt(now + wait)
    if refused and error.evidence is not Evidence.RESPONSE:
        return OpenCircuit(row.fault, now + patience.probe_every)
    # Where no password is at stake, a refusal is asked about sooner: the first mailbox that works starts all of them.
    longest = patience.probe_every if refused else LONGEST_HOLD
    return OpenCircuit(row.fault, now + max(asked, _hold_length(now, since, longest)))


def next_sync(now: datetime, interval: timedelta, *, newest: datetime | None, chance: float) -> datetime:
    """When an idle mailbox is looked at again: the interval, longer for a dormant one, give or take a little."""
    dormant = newest is not None and now - newest > DORMANT_AFTER
    wait = max(interval, min(interval * DORMANT_FACTOR, LONGEST_INTERVAL)) if dormant else interval
    return now + _jittered(wait, chance)


def longest_pause(interval: timedelta) -> timedelta:
    """After how long an idle mailbox is looked at again at the latest: see `next_sync`."""
    return max(interval, LONGEST_INTERVAL) * (1 + JITTER)


def _backoff(failures: int) -> timedelta:
    doubled: timedelta = FIRST_DELAY * 2 ** min(failures, 20)
    return min(doubled, LONGEST_DELAY)


def _hold_length(now: datetime, since: datetime | None, longest: timedelta) -> timedelta:
    """Half as long as it has lasted: quick to notice the end of a short trouble, slow to nag a long one."""
    lasted = now - since if since is not None else timedelta(0)
    return min(max(lasted / 2, FIRST_DELAY), longest)


def _jittered(wait: timedelta, chance: float) -> timedelta:
    return timedelta(seconds=wait.total_seconds() * (1 - JITTER + 2 * JITTER * chance))
