"""Compute the status of a mailbox, folder, destination or bucket, and its text for admins. Read-only.

The database computes the status of a mailbox, so that a page can count and filter thousands of mailboxes in one query.
This module chooses the words. For integrations see `sync.reporting.integration_status`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, TypedDict

from django.db.models import Case, CharField, Exists, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.formats import date_format

from integrations.bidi import closed
from integrations.errors import Evidence, Refused, all_errors, error_of, sentence
from integrations.models import Destination, DisabledReason, Integration
from mailboxes.models import Bucket, Mailbox
from sync.engine.error_scope import ConnectionEvidence, decide, waiting_mailboxes
from sync.jobs.lateness import due_at, is_late, late_since
from sync.models import MailboxItem, MailboxState, SyncedFolder

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    class _Judgement(TypedDict):
        status: str

    JudgedMailbox = WithAnnotations[Mailbox, _Judgement]
else:
    JudgedMailbox = Mailbox
"""A mailbox that the database annotated with its `status`: see `with_status`."""


class Tone(StrEnum):
    """The severity of a state. It determines the colour on pages."""

    OK = "ok"
    BUSY = "busy"
    WARN = "warn"
    BAD = "bad"
    OFF = "off"


class Status(StrEnum):
    """The states of a mailbox, worst first. The values are part of the API."""

    NEEDS_YOU = "needs_you"
    HELD = "held"
    OVERDUE = "overdue"
    WAITING = "waiting"
    LISTING = "listing"
    IN_PROGRESS = "in_progress"
    LEFT_OUT = "left_out"
    UP_TO_DATE = "up_to_date"
    STOPPED = "stopped"

    @property
    def label(self) -> str:
        """The name of this state on pages."""
        return _WORDS[self][0]

    @property
    def tone(self) -> Tone:
        """The severity of this state."""
        return _WORDS[self][1]


_WORDS = {
    Status.NEEDS_YOU: ("Action required", Tone.BAD),
    Status.HELD: ("Paused", Tone.WARN),
    Status.OVERDUE: ("Overdue", Tone.WARN),
    Status.WAITING: ("Waiting in queue", Tone.BUSY),
    Status.LISTING: ("Listing", Tone.BUSY),
    Status.IN_PROGRESS: ("Working through mail", Tone.BUSY),
    Status.LEFT_OUT: ("Folders left out", Tone.WARN),
    Status.UP_TO_DATE: ("Up to date", Tone.OK),
    Status.STOPPED: ("Stopped", Tone.OFF),
}


@dataclass(frozen=True, slots=True)
class StatusSummary:
    """The status of one object, as texts for a page.

    Attributes:
        label: The text of the badge.
        tone: The severity, for the colour of the badge.
        sentence: The reason of the status and the next step; empty if the label is enough.
        working: Whether work is running, queued or requested.
        doing: The work that is running, queued or requested, as a sentence; empty if there is none.
        brief: A short form of `doing` to show beside the badge; empty if the badge shows the same.
        of_integration: Mailboxes only: the circuit breaker of the integration is open, and `sentence` describes the
            integration.
    """

    label: str
    tone: Tone
    sentence: str
    working: bool = False
    doing: str = ""
    brief: str = ""
    of_integration: bool = False


REFUSED = sorted(error.kind for error in all_errors() if issubclass(error, Refused))
"""Kinds of errors that persist until an admin changes something."""


def with_status(mailboxes: QuerySet[Mailbox], now: datetime) -> QuerySet[JudgedMailbox]:
    """Annotate each mailbox with `status`, the value of its `Status` at the given time.

    Args:
        mailboxes: The mailboxes to annotate.
        now: Current time, aware.

    Returns:
        The same mailboxes with the annotation.
    """
    breaker_open = (
        Q(integration__held_until__isnull=False)
        | Q(bucket__held_until__isnull=False)
        | Q(bucket__destination__held_until__isnull=False)
    )
    leased = Q(state__lease_until__gt=now)
    resync_requested = Q(state__list_again=True) | Q(state__send_again=True)
    has_items = Exists(MailboxItem.objects.filter(mailbox=OuterRef("pk")))
    leaves_out = Exists(SyncedFolder.objects.left_out().filter(mailbox=OuterRef("pk")))
    any_sync_runs = Exists(MailboxState.objects.filter(lease_until__gt=now))
    status = Case(
        When(
            Q(integration__enabled=False) | Q(enabled=False, disabled_reason=DisabledReason.USER), _is(Status.STOPPED)
        ),
        When(Q(enabled=False), _is(Status.NEEDS_YOU)),
        When(breaker_open, _is(Status.HELD)),
        When(Q(state__failures__gt=0, state__error_kind__in=REFUSED), _is(Status.NEEDS_YOU)),
        When(Q(state__failures__gt=0), _is(Status.HELD)),
        When(late_since(now) & Q(any_sync_runs), _is(Status.WAITING)),
        When(late_since(now), _is(Status.OVERDUE)),
        When(Q(state__up_to_date=True) & ~resync_requested & leaves_out, _is(Status.LEFT_OUT)),
        When(Q(state__up_to_date=True) & ~resync_requested, _is(Status.UP_TO_DATE)),
        When(leased & has_items, _is(Status.IN_PROGRESS)),
        When(leased, _is(Status.LISTING)),
        default=_is(Status.WAITING),
        output_field=CharField(),
    )
    return mailboxes.annotate(status=status)


def _is(status: Status) -> Value:
    return Value(status.value)


def status_of(mailbox: JudgedMailbox) -> Status:
    """Return the status of a mailbox that `with_status` annotated.

    Args:
        mailbox: The annotated mailbox.

    Returns:
        Its status.
    """
    return Status(mailbox.status)


def state_of(mailbox: Mailbox) -> MailboxState | None:
    """Return the sync state of a mailbox.

    Args:
        mailbox: The mailbox. Its state should be selected with it.

    Returns:
        The state; None for a new mailbox that has no state row yet.
    """
    state: MailboxState | None = getattr(mailbox, "state", None)
    return state


def mailbox_standing(mailbox: JudgedMailbox, now: datetime, progress: str = "") -> StatusSummary:
    """Return the state of a mailbox as texts.

    Args:
        mailbox: The annotated mailbox, with its integration, bucket, destination and state selected.
        now: Current time, aware.
        progress: The progress of the sync as text. It replaces the label of `IN_PROGRESS`.

    Returns:
        The summary.
    """
    status = status_of(mailbox)
    state = state_of(mailbox)
    leased = state is not None and state.lease_until is not None and state.lease_until > now
    queued = state is not None and state.queued_until is not None and state.queued_until > now
    label = _label(mailbox, status, leased, progress, now)
    sentence = _mailbox_sentence(mailbox, status, state, now)
    doing, brief = _doing(state, status, leased, queued)
    of_integration = status is Status.HELD and mailbox.integration.is_held
    return StatusSummary(label, status.tone, sentence, bool(doing), doing, brief, of_integration)


def _label(mailbox: Mailbox, status: Status, leased: bool, progress: str, now: datetime) -> str:
    if status is Status.STOPPED and leased:
        return "Stopping"
    if status is Status.IN_PROGRESS:
        return progress or status.label
    if status is Status.HELD:
        until = _paused_until(mailbox)
        # After that time, one mailbox syncs as a half-open trial or, if no circuit breaker is open, this mailbox is
        # retried. The status stays "paused" until that sync ends.
        return f"Paused until {bare(until, now)}" if until and until > now else "Paused, trying again"
    return status.label


def _doing(state: MailboxState | None, status: Status, leased: bool, queued: bool) -> tuple[str, str]:
    """Return the running, queued or requested work: as a sentence, and as a few words.

    An admin who pressed a button sees this text until the work is done.
    """
    if state is None:
        return "", ""
    if status is Status.STOPPED:
        return "A worker is finishing its batch." if leased else "", ""
    suffix = " The sync is queued." if queued else ""
    if state.send_again:
        return f"Missing comments are pushed again at the next sync.{suffix}", "push missing again pending"
    if state.list_again:
        return f"A full resync starts with the next sync.{suffix}", "full resync pending"
    if leased:
        return "A worker is syncing it.", "" if status in (Status.LISTING, Status.IN_PROGRESS) else "syncing"
    return ("The sync is queued: the next free worker takes it.", "queued") if queued else ("", "")


def _mailbox_sentence(mailbox: Mailbox, status: Status, state: MailboxState | None, now: datetime) -> str:
    match status:
        case Status.STOPPED:
            return "" if mailbox.integration.enabled else "Its integration is stopped."
        case Status.NEEDS_YOU if mailbox.enabled and state is not None:
            return _then(f"{state.error_text} {_waiting_mailboxes(state)}".strip(), "Next try", state.next_sync_at, now)
        case Status.NEEDS_YOU:
            return mailbox.disabled_sentence or f"{mailbox.get_disabled_reason_display()}."
        case Status.HELD:
            paused = _paused_part(mailbox)
            if paused is not None:
                return paused_sentence(paused, now)
            return _then(state.error_text, "Next try", state.next_sync_at, now) if state is not None else ""
        case Status.WAITING if state is not None and is_late(mailbox, state, now):
            return f"It was due {clock(due_at(state), now)}; all workers are busy with other mailboxes."
        case Status.LEFT_OUT:
            return "At least one folder cannot be read and is left out. All others are up to date."
        case Status.OVERDUE if state is not None:
            return f"It was due {clock(due_at(state), now)}, and no worker took it. Check that a worker is running."
    return ""


def _paused_until(mailbox: Mailbox) -> datetime | None:
    paused, state = _paused_part(mailbox), state_of(mailbox)
    if paused is not None:
        return paused.held_until
    return state.next_sync_at if state is not None else None


def _paused_part(mailbox: Mailbox) -> Integration | Destination | Bucket | None:
    """Return the integration, destination or bucket whose circuit breaker is open; None if all are closed."""
    bucket = mailbox.bucket
    return next((part for part in (mailbox.integration, bucket.destination, bucket) if part.is_held), None)


def paused_sentence(paused: Integration | Destination | Bucket, now: datetime) -> str:
    """Return why a circuit breaker is open, which mailboxes are paused, and the time of the next try.

    Args:
        paused: The object whose circuit breaker is open.
        now: Current time, aware.

    Returns:
        The text.
    """
    text = sentence(paused.held_kind, paused.held_detail)
    error = error_of(paused.held_kind)
    if isinstance(paused, Integration) and error is not None:
        text = f"{closed(text)} {waiting_mailboxes(error.evidence)}"
    return _then(text, "Next try", paused.held_until, now)


def _waiting_mailboxes(state: MailboxState) -> str:
    """Return which mailboxes are paused, if only this mailbox was refused. If the integration is at fault, return ""."""
    error = error_of(state.error_kind)
    of_mailbox = error is not None and (state.refused_alone or error.evidence is Evidence.RESPONSE)
    return (
        decide(error.evidence, ConnectionEvidence(refused_alone=state.refused_alone)).paused
        if error and of_mailbox
        else ""
    )


def _then(text: str, step: str, when: datetime | None, now: datetime) -> str:
    """Append the next step and its time to a text, if the time is in the future."""
    if when is None or when <= now:
        return text
    return f"{closed(text)} {step} {clock(when, now)}.".strip()


def paused_standing(held: Destination | Bucket, now: datetime) -> StatusSummary:
    """Return the state of a destination or a bucket as texts: paused (its circuit breaker is open), or in use.

    Args:
        held: The destination or bucket.
        now: Current time, aware.

    Returns:
        The summary.
    """
    if held.is_held:
        return StatusSummary("Paused", Tone.BAD, paused_sentence(held, now))
    return StatusSummary("In use", Tone.OK, "")


def folder_standing(folder: SyncedFolder, wanted: bool) -> StatusSummary:
    """Return the state of a mailbox folder as texts.

    Args:
        folder: The folder.
        wanted: Whether the current filters want the mail of this folder.

    Returns:
        The summary.
    """
    if not wanted:
        return StatusSummary("Filtered out", Tone.OFF, "")
    if folder.left_out:
        return StatusSummary("Left out", Tone.WARN, sentence(folder.refused_kind, folder.refused_detail))
    if folder.up_to_date:
        return StatusSummary("Up to date", Tone.OK, "")
    started = folder.cursor or folder.attempts
    return StatusSummary((Status.IN_PROGRESS if started else Status.WAITING).label, Tone.BUSY, "")


def clock(when: datetime, now: datetime) -> str:
    """Format a time for a sentence, in the current time zone.

    Args:
        when: The time to format, aware.
        now: Current time, aware.

    Returns:
        For example "at 14:05", or "on 5 Mar, 14:05" on any other day than today.
    """
    local = timezone.localtime(when)
    today = local.date() == timezone.localtime(now).date()
    return f"at {date_format(local, 'H:i')}" if today else f"on {date_format(local, 'j M, H:i')}"


def bare(when: datetime, now: datetime) -> str:
    """Format a time as `clock` does, without the preposition: for use after "until" or "since".

    Args:
        when: The time to format, aware.
        now: Current time, aware.

    Returns:
        For example "14:05" or "5 Mar, 14:05".
    """
    return clock(when, now).removeprefix("at ").removeprefix("on ")


def parse_status(text: str | None) -> Status | None:
    """Return the status that a page is filtered by.

    Args:
        text: The value of the query parameter.

    Returns:
        The status; None if the value is missing or unknown.
    """
    return Status(text) if text in set(Status) else None


def choices(counts: Iterable[Status]) -> list[tuple[str, str]]:
    """Return the options of a filter by status.

    Args:
        counts: The states to offer.

    Returns:
        The value and label of each state.
    """
    return [(status.value, status.label) for status in counts]
