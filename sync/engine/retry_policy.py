"""The retry policy: decides what is done after a sync, and when. Pure; the time and a random number are arguments.

The decision is a value. `sync.jobs.outcome` carries it out.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from integrations.errors import Evidence, IntegrationError, QuotaReached, Refused, Scope
from sync.engine.error_scope import Action, ConnectionEvidence, decide

FIRST_DELAY = timedelta(seconds=15)
LONGEST_DELAY = timedelta(minutes=15)
LONGEST_OPEN = timedelta(minutes=4)
"""The longest time between two trials during a temporary error, unless the server requests a longer wait. A trial costs
few requests, and the other mailboxes sync again no later than about four minutes after the error ends."""
DORMANT_AFTER = timedelta(days=7)
"""A mailbox whose newest email is older than this is dormant and synced less often."""
DORMANT_FACTOR = 5
LONGEST_INTERVAL = timedelta(minutes=15)
JITTER = 0.1


@dataclass(frozen=True, slots=True)
class RetryAt:
    """Only this mailbox waits, until the given time."""

    at: datetime


@dataclass(frozen=True, slots=True)
class OpenCircuit:
    """The circuit breaker is open: mailboxes in this scope do not sync.

    After `until`, one mailbox syncs as a half-open trial.
    """

    scope: Scope
    until: datetime


@dataclass(frozen=True, slots=True)
class Suspend:
    """The part at fault is disabled until a user starts it again."""

    scope: Scope
    reason: str
    """`quota` or `sync_error`."""


Decision = RetryAt | OpenCircuit | Suspend


@dataclass(frozen=True, slots=True)
class FailureHistory:
    """The state before this failure."""

    failures: int = 0
    """Failed syncs of this mailbox in a row, without this one."""
    failing_since: datetime | None = None
    held_since: datetime | None = None
    """When the circuit breaker of the part at fault opened, if it is open."""
    seen: ConnectionEvidence = field(default_factory=ConnectionEvidence)
    """What other mailboxes show about the connection of this mailbox."""


@dataclass(frozen=True, slots=True)
class BreakerPatience:
    """How often a refusal is retried, and when the part at fault is disabled.

    Attributes:
        trial_every: Time between two attempts.
        disable_after: Time of uninterrupted refusals after which the part at fault is disabled.
    """

    trial_every: timedelta = timedelta(minutes=20)
    disable_after: timedelta = timedelta(days=3)


def after_failure(
    error: IntegrationError | None,
    *,
    now: datetime,
    past: FailureHistory,
    chance: float,
    patience: BreakerPatience | None = None,
) -> Decision:
    """Decide what to do after a failed sync.

    Args:
        error: The error; None for an unexpected error of this product.
        now: The present time.
        past: The state before this failure.
        chance: A random number from [0, 1).
        patience: How often a refusal is retried; None for the defaults.

    Returns:
        The decision.
    """
    patience = patience or BreakerPatience()
    if error is None:
        return RetryAt(now + _jittered(_backoff(past.failures), chance))
    if isinstance(error, QuotaReached):
        return Suspend(error.scope, "quota")
    refused = isinstance(error, Refused)
    row = decide(error.evidence, replace(past.seen, passes=not refused))
    only_this_mailbox = row.fault in (Scope.MAILBOX, Scope.FOLDER)
    since = past.failing_since if only_this_mailbox else past.held_since
    if refused and since is not None and now - since >= patience.disable_after:
        return Suspend(row.fault, "sync_error")
    if row.action is Action.TRIAL:
        return OpenCircuit(row.fault, now)
    requested = error.retry_after or timedelta(0)
    if only_this_mailbox:
        wait = patience.trial_every if refused else max(requested, _jittered(_backoff(past.failures), chance))
        return RetryAt(now + wait)
    if refused and error.evidence is not Evidence.RESPONSE:
        return OpenCircuit(row.fault, now + patience.trial_every)
    # The remaining errors are temporary, or refusals with `Evidence.RESPONSE`. These refusals are retried sooner than
    # other refusals, because one mailbox that works starts all others.
    longest = patience.trial_every if refused else LONGEST_OPEN
    return OpenCircuit(row.fault, now + max(requested, _open_duration(now, since, longest)))


def next_sync(now: datetime, interval: timedelta, *, newest: datetime | None, chance: float) -> datetime:
    """Return when an idle mailbox is synced again.

    The wait is the poll interval, or longer if the mailbox is dormant. The wait varies at random by up to 10%.

    Args:
        now: The present time.
        interval: The poll interval of the mailbox.
        newest: When its newest email arrived, if it has any.
        chance: A random number from [0, 1).

    Returns:
        The time of the next sync.
    """
    dormant = newest is not None and now - newest > DORMANT_AFTER
    wait = max(interval, min(interval * DORMANT_FACTOR, LONGEST_INTERVAL)) if dormant else interval
    return now + _jittered(wait, chance)


def longest_pause(interval: timedelta) -> timedelta:
    """Return an upper bound for the time between two syncs of an idle mailbox: see `next_sync`.

    Args:
        interval: The poll interval of the mailbox.

    Returns:
        The upper bound.
    """
    return max(interval, LONGEST_INTERVAL) * (1 + JITTER)


def _backoff(failures: int) -> timedelta:
    doubled: timedelta = FIRST_DELAY * 2 ** min(failures, 20)
    return min(doubled, LONGEST_DELAY)


def _open_duration(now: datetime, since: datetime | None, longest: timedelta) -> timedelta:
    """Return half of the time that the error has lasted, but at least `FIRST_DELAY` and at most `longest`.

    So the end of a short outage is detected soon, and a long outage causes few requests.
    """
    lasted = now - since if since is not None else timedelta(0)
    return min(max(lasted / 2, FIRST_DELAY), longest)


def _jittered(wait: timedelta, chance: float) -> timedelta:
    return timedelta(seconds=wait.total_seconds() * (1 - JITTER + 2 * JITTER * chance))
