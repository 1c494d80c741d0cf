"""What state a mailbox or a folder is in, and how to say it to an admin. Of an integration:
`sync.reporting.integration_status`.

The state of a mailbox is worked out by the database, so that a page can count and filter thousands of them in one
query; its words are chosen here. Nothing in this module changes anything.
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
from sync.engine.error_scope import ConnectionEvidence, decide, who_waits
from sync.jobs.lateness import due_at, is_late, late_since
from sync.models import MailboxItem, MailboxState, SyncedFolder

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    class _Judgement(TypedDict):
        status: str

    JudgedMailbox = WithAnnotations[Mailbox, _Judgement]
else:
    JudgedMailbox = Mailbox
"""A mailbox of which the database said what state it is in: see `with_status`."""


class Tone(StrEnum):
    """How a state feels, for its colour."""

    OK = "ok"
    BUSY = "busy"
    WARN = "warn"
    BAD = "bad"
    OFF = "off"


class Status(StrEnum):
    """The states of a mailbox that an admin can tell apart, worst first."""

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
        return _WORDS[self][0]

    @property
    def tone(self) -> Tone:
        return _WORDS[self][1]


_WORDS = {
    Status.NEEDS_YOU: ("Needs you", Tone.BAD),
    Status.HELD: ("Held", Tone.WARN),
    Status.OVERDUE: ("Overdue", Tone.WARN),
    Status.WAITING: ("Waiting its turn", Tone.BUSY),
    Status.LISTING: ("Listing", Tone.BUSY),
    Status.IN_PROGRESS: ("Working through mail", Tone.BUSY),
    Status.LEFT_OUT: ("Folders left out", Tone.WARN),
    Status.UP_TO_DATE: ("Up to date", Tone.OK),
    Status.STOPPED: ("Stopped", Tone.OFF),
}


@dataclass(frozen=True, slots=True)
class StatusSummary:
    """The state of one thing in words: a badge, a sentence, and whether a worker is at it right now."""

    label: str
    tone: Tone
    sentence: str
    working: bool = False
    doing: str = ""
    """What goes on or was asked for and is still to come, in words."""
    brief: str = ""
    """The same in a word or two, to stand in a row beside a badge that does not say it."""
    of_integration: bool = False
    """Of a mailbox: its integration is held, and so its sentence is that of the integration."""


REFUSED = sorted(error.kind for error in all_errors() if issubclass(error, Refused))
"""Kinds of errors that stay until somebody changes something."""


def with_status(mailboxes: QuerySet[Mailbox], now: datetime) -> QuerySet[JudgedMailbox]:
    """These mailboxes, each annotated with `status`, the value of its `Status` at this time."""
    held = (
        Q(integration__held_until__isnull=False)
        | Q(bucket__held_until__isnull=False)
        | Q(bucket__destination__held_until__isnull=False)
    )
    leased = Q(state__lease_until__gt=now)
    asked = Q(state__list_again=True) | Q(state__send_again=True)
    knows_its_mail = Exists(MailboxItem.objects.filter(mailbox=OuterRef("pk")))
    leaves_out = Exists(SyncedFolder.objects.left_out().filter(mailbox=OuterRef("pk")))
    somebody_works = Exists(MailboxState.objects.filter(lease_until__gt=now))
    status = Case(
        When(
            Q(integration__enabled=False) | Q(enabled=False, disabled_reason=DisabledReason.USER), _is(Status.STOPPED)
        ),
        When(Q(enabled=False), _is(Status.NEEDS_YOU)),
        When(held, _is(Status.HELD)),
        When(Q(state__failures__gt=0, state__error_kind__in=REFUSED), _is(Status.NEEDS_YOU)),
        When(Q(state__failures__gt=0), _is(Status.HELD)),
        When(late_since(now) & Q(somebody_works), _is(Status.WAITING)),
        When(late_since(now), _is(Status.OVERDUE)),
        When(Q(state__up_to_date=True) & ~asked & leaves_out, _is(Status.LEFT_OUT)),
        When(Q(state__up_to_date=True) & ~asked, _is(Status.UP_TO_DATE)),
        When(leased & knows_its_mail, _is(Status.IN_PROGRESS)),
        When(leased, _is(Status.LISTING)),
        default=_is(Status.WAITING),
        output_field=CharField(),
    )
    return mailboxes.annotate(status=status)


def _is(status: Status) -> Value:
    return Value(status.value)


def status_of(mailbox: JudgedMailbox) -> Status:
    return Status(mailbox.status)


def state_of(mailbox: Mailbox) -> MailboxState | None:
    """None when the mailbox is so new that nobody looked at it yet."""
    state: MailboxState | None = getattr(mailbox, "state", None)
    return state


def mailbox_standing(mailbox: JudgedMailbox, now: datetime, progress: str = "") -> StatusSummary:
    """Of a mailbox with its integration, bucket, destination and state at hand. `progress`: how far it is with its mail, in
    words."""
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
        until = _held_until(mailbox)
        # While the time is over and nobody has come back with an answer, it is tried.
        return f"Held until {bare(until, now)}" if until and until > now else "Held, trying again"
    return status.label


def _doing(state: MailboxState | None, status: Status, leased: bool, queued: bool) -> tuple[str, str]:
    """So that whoever pressed a button sees what became of it until it is done: in a sentence, and in a word or two."""
    if state is None:
        return "", ""
    if status is Status.STOPPED:
        return "A worker is just ending its batch." if leased else "", ""
    soon = " That is queued." if queued else ""
    if state.send_again:
        return f"It is sent again at the next sync.{soon}", "to be sent again"
    if state.list_again:
        return f"All its folders are listed again at the next sync.{soon}", "to be listed again"
    if leased:
        return "A worker syncs it now.", "" if status in (Status.LISTING, Status.IN_PROGRESS) else "syncing"
    return ("It is queued: the next free worker takes it.", "queued") if queued else ("", "")


def _mailbox_sentence(mailbox: Mailbox, status: Status, state: MailboxState | None, now: datetime) -> str:
    match status:
        case Status.STOPPED:
            return "" if mailbox.integration.enabled else "Its integration is stopped."
        case Status.NEEDS_YOU if mailbox.enabled and state is not None:
            return _then(f"{state.error_text} {_who_waits(state)}".strip(), "Next try", state.next_sync_at, now)
        case Status.NEEDS_YOU:
            return mailbox.disabled_sentence or f"{mailbox.get_disabled_reason_display()}."
        case Status.HELD:
            held = _what_is_held(mailbox)
            if held is not None:
                return hold_sentence(held, now)
            return _then(state.error_text, "Next try", state.next_sync_at, now) if state is not None else ""
        case Status.WAITING if state is not None and is_late(mailbox, state, now):
            return f"It was due {clock(due_at(state), now)}; all workers are busy with other mailboxes."
        case Status.LEFT_OUT:
            return "At least one folder cannot be read and is left out. All others are up to date."
        case Status.OVERDUE if state is not None:
            return f"It was due {clock(due_at(state), now)}, and no worker took it. Is a worker running?"
    return ""


def _held_until(mailbox: Mailbox) -> datetime | None:
    held, state = _what_is_held(mailbox), state_of(mailbox)
    if held is not None:
        return held.held_until
    return state.next_sync_at if state is not None else None


def _what_is_held(mailbox: Mailbox) -> Integration | Destination | Bucket | None:
    """What it hangs on and is held as a whole; None when it waits by itself."""
    bucket = mailbox.bucket
    return next((held for held in (mailbox.integration, bucket.destination, bucket) if held.is_held), None)


def hold_sentence(held: Integration | Destination | Bucket, now: datetime) -> str:
    """Why something is held, who waits, and when it is tried again."""
    told = sentence(held.held_kind, held.held_detail)
    error = error_of(held.held_kind)
    if isinstance(held, Integration) and error is not None:
        told = f"{closed(told)} {who_waits(error.evidence)}"
    return _then(told, "Next try", held.held_until, now)


def _who_waits(state: MailboxState) -> str:
    """Of a mailbox that is refused while its integration goes on."""
    error = error_of(state.error_kind)
    of_mailbox = error is not None and (state.refused_alone or error.evidence is Evidence.RESPONSE)
    return (
        decide(error.evidence, ConnectionEvidence(refused_alone=state.refused_alone)).paused
        if error and of_mailbox
        else ""
    )


def _then(text: str, what: str, when: datetime | None, now: datetime) -> str:
    if when is None or when <= now:
        return text
    return f"{closed(text)} {what} {clock(when, now)}.".strip()


def hold_standing(held: Destination | Bucket, now: datetime) -> StatusSummary:
    """Of a destination or a bucket: it is held, or nothing is known against it."""
    if held.is_held:
        return StatusSummary("Held", Tone.BAD, hold_sentence(held, now))
    return StatusSummary("In use", Tone.OK, "")


def folder_standing(folder: SyncedFolder, wanted: bool) -> StatusSummary:
    """Of a folder of a mailbox. `wanted`: whether its mail is, by the filters as they are now."""
    if not wanted:
        return StatusSummary("Not wanted", Tone.OFF, "")
    if folder.left_out:
        return StatusSummary("Left out", Tone.WARN, sentence(folder.refused_kind, folder.refused_detail))
    if folder.up_to_date:
        return StatusSummary("Up to date", Tone.OK, "")
    begun = folder.cursor or folder.attempts
    return StatusSummary((Status.IN_PROGRESS if begun else Status.WAITING).label, Tone.BUSY, "")


def clock(when: datetime, now: datetime) -> str:
    """A time for a sentence: "at 14:05", or with its date when that is not today."""
    local = timezone.localtime(when)
    today = local.date() == timezone.localtime(now).date()
    return f"at {date_format(local, 'H:i')}" if today else f"on {date_format(local, 'j M, H:i')}"


def bare(when: datetime, now: datetime) -> str:
    """The same behind "until"."""
    return clock(when, now).removeprefix("at ").removeprefix("on ")


def parse_status(text: str | None) -> Status | None:
    """The state that a page is asked to filter by; None for anything else."""
    return Status(text) if text in set(Status) else None


def choices(counts: Iterable[Status]) -> list[tuple[str, str]]:
    """For a filter: value and label of each of these states."""
    return [(status.value, status.label) for status in counts]
