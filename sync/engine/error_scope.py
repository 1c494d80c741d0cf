"""The decision table for failures: which part is at fault, and what is done about it. Pure.

One refused mailbox is weak evidence against its connection: the mailbox may be on an older server, or EWS may be
disabled only for this mailbox. So the class of the error (`Evidence`) is judged together with the results of the other
mailboxes (`ConnectionEvidence`).

`sync.jobs.scope_evidence` reads the results of the other mailboxes from the database. `sync.engine.retry_policy` turns
the decision into times, and `sync.jobs.outcome` carries it out. docs/errors.md is generated from this table and the
error catalogue.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from integrations.errors import Evidence, Scope

TOGETHER = 4
"""If this many other mailboxes failed with an overload, and no sync with another result was between these failures, the
connection is at fault."""
WITHIN = timedelta(minutes=10)
"""If the server refuses requests of two mailboxes within this time, and no sync has worked since, the connection is at
fault."""


class Action(StrEnum):
    """The action that the table names for a failure.

    Only `TRIAL` has an effect: for this action, `sync.engine.retry_policy` opens the circuit breaker with a trial due at once.
    Otherwise the retry policy decides from the part at fault, the class of the error, whether the error is a `Refused`,
    its `retry_after`, and the earlier failures. The other values describe the usual result to readers and tests, and
    nothing else reads them.
    """

    RETRY = "retry"
    """This mailbox is retried at growing intervals."""
    PAUSE = "pause"
    """This mailbox, or this folder, pauses: a refusal is retried slowly."""
    OPEN = "open"
    """The circuit breaker of the part at fault opens. One mailbox at a time syncs as a half-open trial."""
    TRIAL = "trial"
    """The circuit breaker of the connection opens, and one other mailbox signs in at once, to show what is at fault."""
    LIST_AGAIN = "list again"
    """The folder is listed from its beginning, or looked up in the tree."""


@dataclass(frozen=True, slots=True)
class ConnectionEvidence:
    """What other mailboxes show about the connection of the failed mailbox. Collected only if a decision needs it."""

    breaker_evidence: Evidence | None = None
    """The class of the error because of which the circuit breaker of the connection is open; None if it is closed."""
    has_others: bool = False
    """Another mailbox can be used for a trial. A mailbox with `refused_alone` cannot."""
    refused_elsewhere: bool = False
    """Another mailbox was refused in the same way.

    For a password: the last sign-in of the other mailbox was refused. For a response: the other mailbox was refused
    within `WITHIN`, and no sync has worked since. While a circuit breaker is open because of a response, `WITHIN` is
    counted back from its opening.
    """
    refused_alone: bool = False
    """For a password: it was refused for the failed mailbox, and another mailbox signed in with it afterwards."""
    passes: bool = False
    """The error may be temporary. Set by the retry policy."""
    in_a_row: int = 0
    """Number of other mailboxes that failed with an overload, with no other result between these failures."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: a class of errors, a condition, the part at fault and the action."""

    evidence: Evidence
    when: str
    """The condition as text, for the documentation."""
    seen: Callable[[ConnectionEvidence], bool]
    """The condition as a function: returns whether the row applies."""
    fault: Scope
    action: Action
    paused: str
    """Sentences for administrators: which mailboxes or folders wait, and why. Blank if none waits."""
    then: str
    """A sentence for administrators: what this product does next."""


def _always(_: ConnectionEvidence) -> bool:
    return True


THIS_MAILBOX = "Only this mailbox waits."
ALL_MAILBOXES = "Every mailbox of the integration waits."
ONE_TRIAL_AT_A_TIME = "One mailbox at a time syncs as a trial; the first that works starts all of them."

TABLE: tuple[Row, ...] = (
    Row(
        Evidence.TRANSPORT,
        "always",
        _always,
        Scope.CONNECTION,
        Action.OPEN,
        ALL_MAILBOXES,
        ONE_TRIAL_AT_A_TIME,
    ),
    Row(
        Evidence.SETTINGS,
        "always",
        _always,
        Scope.CONNECTION,
        Action.OPEN,
        ALL_MAILBOXES,
        ONE_TRIAL_AT_A_TIME,
    ),
    Row(
        Evidence.PASSWORD,
        "another mailbox has signed in since, with the same credentials",
        lambda seen: seen.refused_alone,
        Scope.MAILBOX,
        Action.PAUSE,
        f"{THIS_MAILBOX} Another mailbox of the integration has signed in since, with the same credentials.",
        "It is retried slowly, rarely enough not to lock the account.",
    ),
    Row(
        Evidence.PASSWORD,
        "another mailbox is refused, too",
        lambda seen: seen.refused_elsewhere,
        Scope.CONNECTION,
        Action.OPEN,
        f"{ALL_MAILBOXES} The credentials were refused for more than one of them.",
        "One mailbox at a time signs in as a trial, rarely enough not to lock the account.",
    ),
    Row(
        Evidence.PASSWORD,
        "there is no other mailbox for a trial",
        lambda seen: not seen.has_others,
        Scope.CONNECTION,
        Action.OPEN,
        ALL_MAILBOXES,
        "The mailbox signs in as a trial, rarely enough not to lock the account.",
    ),
    Row(
        Evidence.PASSWORD,
        "at the first refusal",
        _always,
        Scope.CONNECTION,
        Action.TRIAL,
        f"{ALL_MAILBOXES} One other mailbox signs in at once, to show what is at fault.",
        "If that works, only the refused mailbox waits.",
    ),
    Row(
        Evidence.RESPONSE,
        f"another mailbox is refused, too, within {WITHIN.total_seconds() / 60:.0f} minutes, and none has worked since",
        lambda seen: seen.refused_elsewhere,
        Scope.CONNECTION,
        Action.OPEN,
        f"{ALL_MAILBOXES} More than one of them was refused, and none has worked since.",
        ONE_TRIAL_AT_A_TIME,
    ),
    Row(
        Evidence.RESPONSE,
        "while no other mailbox is refused",
        _always,
        Scope.MAILBOX,
        Action.PAUSE,
        THIS_MAILBOX,
        "It is retried slowly.",
    ),
    Row(
        Evidence.OVERLOAD,
        f"{TOGETHER} other mailboxes failed in a row, or all mailboxes wait for that reason already",
        lambda seen: seen.in_a_row >= TOGETHER or seen.breaker_evidence is Evidence.OVERLOAD,
        Scope.CONNECTION,
        Action.OPEN,
        f"{ALL_MAILBOXES} Many of them failed one after the other.",
        ONE_TRIAL_AT_A_TIME,
    ),
    Row(
        Evidence.OVERLOAD,
        "while other mailboxes work",
        _always,
        Scope.MAILBOX,
        Action.RETRY,
        THIS_MAILBOX,
        "It is retried at growing intervals, and never before the time that the server requested.",
    ),
    Row(
        Evidence.MAILBOX,
        "when the error may be temporary",
        lambda seen: seen.passes,
        Scope.MAILBOX,
        Action.RETRY,
        THIS_MAILBOX,
        "It is retried at growing intervals.",
    ),
    Row(
        Evidence.MAILBOX,
        "when the error is permanent",
        _always,
        Scope.MAILBOX,
        Action.PAUSE,
        THIS_MAILBOX,
        "It is retried slowly.",
    ),
    Row(
        Evidence.FOLDER,
        "always",
        _always,
        Scope.FOLDER,
        Action.LIST_AGAIN,
        "",
        "The folder is read from the tree again, or listed again.",
    ),
    Row(
        Evidence.FOLDER_REFUSED,
        "always; when every folder is refused, the mailbox is at fault",
        _always,
        Scope.FOLDER,
        Action.PAUSE,
        "Only this folder is left out. The other folders of the mailbox are synced.",
        "It is retried at growing intervals.",
    ),
    Row(
        Evidence.PROCESS,
        "always",
        _always,
        Scope.PROCESS,
        Action.RETRY,
        "Only the worker with the error pauses. Other workers sync its mailboxes.",
        "The mailbox stays due and is queued again within seconds.",
    ),
    Row(
        Evidence.DESTINATION,
        "always",
        _always,
        Scope.DESTINATION,
        Action.OPEN,
        "Every mailbox that pushes to this destination waits.",
        "One mailbox at a time syncs as a trial.",
    ),
    Row(
        Evidence.BUCKET,
        "always",
        _always,
        Scope.BUCKET,
        Action.OPEN,
        "Every mailbox of this bucket waits.",
        "One mailbox at a time syncs as a trial.",
    ),
    Row(
        Evidence.OURS,
        "always",
        _always,
        Scope.MAILBOX,
        Action.RETRY,
        THIS_MAILBOX,
        "It is retried at growing intervals.",
    ),
)


def decide(evidence: Evidence, seen: ConnectionEvidence | None = None) -> Row:
    """Return the first row of the table that is for this class of errors, and whose condition is true.

    Args:
        evidence: The class of the error.
        seen: What is known about the connection; None if nothing is known.

    Returns:
        The row.
    """
    seen = seen or ConnectionEvidence()
    return next(row for row in TABLE if row.evidence is evidence and row.seen(seen))


def waiting_mailboxes(evidence: Evidence) -> str:
    """Return which mailboxes wait while the circuit breaker of a connection is open.

    Args:
        evidence: Why it is open.

    Returns:
        A sentence for administrators.
    """
    # For a password it is unknown whether the first or the second refusal opened the circuit breaker.
    certain = evidence in (Evidence.RESPONSE, Evidence.OVERLOAD)
    sentences = (row.paused for row in TABLE if row.evidence is evidence and row.fault is Scope.CONNECTION)
    return next(sentences, ALL_MAILBOXES) if certain else ALL_MAILBOXES


def clears_by_refusal(evidence: Evidence, *, permanent: bool) -> bool:
    """Return whether a sync that failed with this error shows nevertheless that the connection works.

    Exchange reports a permanent error of a mailbox only after it has accepted the account. A temporary error proves
    nothing: a mailbox store that is offline may be part of an outage.

    Args:
        evidence: The class of the error.
        permanent: The error stays until an administrator acts.

    Returns:
        Whether the connection works.
    """
    return evidence is Evidence.MAILBOX and permanent
