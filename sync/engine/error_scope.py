"""Whose fault a failure is, and what is done about it: the decision table. Pure.

One refused mailbox says little: it may lie on an older server, or EWS may be switched off for it alone. So what an error says
(`Evidence`) is judged together with what was seen of the other mailboxes (`ConnectionEvidence`).
`sync.jobs.scope_evidence` gathers that from the database, `sync.engine.retry_policy` turns the answer into times,
`sync.jobs.outcome` carries it out.
docs/errors.md is made from this table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from integrations.errors import Evidence, Scope

TOGETHER = 4
"""So many other mailboxes that failed one after the other, with none that worked between them, are a storm."""
WITHIN = timedelta(minutes=10)
"""Two mailboxes that are refused within this time, with none that worked since, show that the connection is refused."""


class Action(StrEnum):
    """What is done next."""

    RETRY = "retry"
    """This mailbox is tried again, at growing intervals."""
    PAUSE = "pause"
    """This mailbox pauses: a refusal is asked about slowly."""
    HOLD = "hold"
    """Everything behind the part at fault waits, and one probe at a time asks whether it is over."""
    PROBE = "probe"
    """The connection waits, and one other mailbox signs in anew at once: that shows whose fault it is."""
    LIST_AGAIN = "list again"
    """The folder is listed from its beginning, or looked for in the tree."""


@dataclass(frozen=True, slots=True)
class ConnectionEvidence:
    """What is known of the connection of the mailbox that failed. Not asked for where it decides nothing."""

    held_for: Evidence | None = None
    """Why the connection is held, where it is."""
    has_others: bool = False
    """Whether another mailbox could be probed: one that is not known to be refused by itself."""
    refused_elsewhere: bool = False
    """Whether another address was refused in the same way (within `WITHIN`, or since the hold began), and no mailbox worked
    since. Where a password is at stake, only a new sign-in counts as working."""
    refused_alone: bool = False
    """Of a password: whether a neighbour signed in anew with it after it was refused to this mailbox."""
    passes: bool = False
    """Whether the error may pass with nobody doing anything."""
    in_a_row: int = 0
    """How many other mailboxes failed by an overload one after the other, with none that worked meanwhile."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: with this evidence, and where this was seen, that part is at fault."""

    evidence: Evidence
    when: str
    """In words, for people."""
    seen: Callable[[ConnectionEvidence], bool]
    fault: Scope
    action: Action
    paused: str
    """Who waits, in a sentence for admins; blank where nobody does."""
    then: str
    """What happens by itself."""


def _always(_: ConnectionEvidence) -> bool:
    return True


THIS_MAILBOX = "Only this mailbox waits."
ALL_MAILBOXES = "Every mailbox of the integration waits."
PROBED = "One mailbox at a time asks whether it is over; the first that works starts all of them."

TABLE: tuple[Row, ...] = (
    Row(
        Evidence.TRANSPORT,
        "always",
        _always,
        Scope.CONNECTION,
        Action.HOLD,
        ALL_MAILBOXES,
        PROBED,
    ),
    Row(
        Evidence.SETTINGS,
        "always",
        _always,
        Scope.CONNECTION,
        Action.HOLD,
        ALL_MAILBOXES,
        PROBED,
    ),
    Row(
        Evidence.PASSWORD,
        "a neighbour signed in anew since with the same credentials",
        lambda seen: seen.refused_alone,
        Scope.MAILBOX,
        Action.PAUSE,
        f"{THIS_MAILBOX} Another mailbox of the integration has signed in anew since, with the same credentials.",
        "It is tried again slowly, and no more often than the account can bear.",
    ),
    Row(
        Evidence.PASSWORD,
        "another mailbox is refused, too",
        lambda seen: seen.refused_elsewhere,
        Scope.CONNECTION,
        Action.HOLD,
        f"{ALL_MAILBOXES} The credentials were refused to more than one of them.",
        "One mailbox at a time signs in anew, and no more often than the account can bear.",
    ),
    Row(
        Evidence.PASSWORD,
        "there is no other mailbox to ask with",
        lambda seen: not seen.has_others,
        Scope.CONNECTION,
        Action.HOLD,
        ALL_MAILBOXES,
        "It signs in anew slowly, and no more often than the account can bear.",
    ),
    Row(
        Evidence.PASSWORD,
        "at the first refusal",
        _always,
        Scope.CONNECTION,
        Action.PROBE,
        f"{ALL_MAILBOXES} One other mailbox signs in anew at once, to see whose fault it is.",
        "If that works, only the refused mailbox waits.",
    ),
    Row(
        Evidence.RESPONSE,
        f"another mailbox is refused, too, within {WITHIN.total_seconds() / 60:.0f} minutes, and none has worked since",
        lambda seen: seen.refused_elsewhere,
        Scope.CONNECTION,
        Action.HOLD,
        f"{ALL_MAILBOXES} More than one of them was refused, and none has worked since.",
        PROBED,
    ),
    Row(
        Evidence.RESPONSE,
        "as long as it is the only one",
        _always,
        Scope.MAILBOX,
        Action.PAUSE,
        THIS_MAILBOX,
        "It is tried again slowly.",
    ),
    Row(
        Evidence.OVERLOAD,
        f"{TOGETHER} other mailboxes failed in a row, or all wait for that reason already",
        lambda seen: seen.in_a_row >= TOGETHER or seen.held_for is Evidence.OVERLOAD,
        Scope.CONNECTION,
        Action.HOLD,
        f"{ALL_MAILBOXES} Many of them failed one after the other.",
        PROBED,
    ),
    Row(
        Evidence.OVERLOAD,
        "as long as others work",
        _always,
        Scope.MAILBOX,
        Action.RETRY,
        THIS_MAILBOX,
        "It is tried again at growing intervals, and never before the time that the server asked for.",
    ),
    Row(
        Evidence.MAILBOX,
        "when it may pass by itself",
        lambda seen: seen.passes,
        Scope.MAILBOX,
        Action.RETRY,
        THIS_MAILBOX,
        "It is tried again at growing intervals.",
    ),
    Row(
        Evidence.MAILBOX,
        "when it stays until somebody changes something",
        _always,
        Scope.MAILBOX,
        Action.PAUSE,
        THIS_MAILBOX,
        "It is tried again slowly.",
    ),
    Row(
        Evidence.FOLDER,
        "always",
        _always,
        Scope.FOLDER,
        Action.LIST_AGAIN,
        "",
        "The folder is looked for, or listed, again.",
    ),
    Row(
        Evidence.FOLDER_REFUSED,
        "always; when every folder is refused, the mailbox is at fault",
        _always,
        Scope.FOLDER,
        Action.PAUSE,
        "Only this folder is left out. The other folders of the mailbox go on.",
        "It is tried again ever more rarely.",
    ),
    Row(
        Evidence.PROCESS,
        "always",
        _always,
        Scope.PROCESS,
        Action.RETRY,
        "Only the worker that met it. Other workers take its mailboxes.",
        "The mailbox is sent again at the next tick.",
    ),
    Row(
        Evidence.DESTINATION,
        "always",
        _always,
        Scope.DESTINATION,
        Action.HOLD,
        "Everything that goes to this destination waits.",
        "One mailbox at a time asks whether it is over.",
    ),
    Row(
        Evidence.BUCKET,
        "always",
        _always,
        Scope.BUCKET,
        Action.HOLD,
        "Every mailbox of this bucket waits.",
        "One mailbox at a time asks whether it is over.",
    ),
    Row(
        Evidence.OURS,
        "always",
        _always,
        Scope.MAILBOX,
        Action.RETRY,
        THIS_MAILBOX,
        "It is tried again at growing intervals.",
    ),
)


def decide(evidence: Evidence, seen: ConnectionEvidence | None = None) -> Row:
    """The first row of this evidence that fits what was seen."""
    seen = seen or ConnectionEvidence()
    return next(row for row in TABLE if row.evidence is evidence and row.seen(seen))


def who_waits(evidence: Evidence) -> str:
    """While a connection is held for this evidence: who waits, in a sentence for admins."""
    # Of a password it is not known yet whether the first refusal or the second began it.
    certain = evidence in (Evidence.RESPONSE, Evidence.OVERLOAD)
    held = (row.paused for row in TABLE if row.evidence is evidence and row.fault is Scope.CONNECTION)
    return next(held, ALL_MAILBOXES) if certain else ALL_MAILBOXES


def clears_by_refusal(evidence: Evidence, *, permanent: bool) -> bool:
    """Whether a mailbox that was probed, and failed with this, shows all the same that its connection works: Exchange named the
    mailbox, so it let the account in. What passes by itself shows nothing: a store that is offline may be part of an outage."""
    return evidence is Evidence.MAILBOX and permanent
