"""What state a mailbox, an integration or a folder is in, and how to say it to an admin.

The state of a mailbox is worked out by the database, so that a page can count and filter thousands of them in one
query; its words are chosen here. Nothing in this module changes anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, TypedDict

from django.db.models import Case, CharField, Count, Exists, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.formats import date_format

from integrations.bidi import closed
from integrations.models import Destination, DisabledReason, Integration
from mailboxes.models import Bucket, Mailbox
from sync.models import MailboxState, SyncedFolder

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    class _Judgement(TypedDict):
        status: str

    JudgedMailbox = WithAnnotations[Mailbox, _Judgement]
else:
    JudgedMailbox = Mailbox
"""A mailbox of which the database said what state it is in: see `with_status`."""

OVERDUE_AFTER = timedelta(minutes=15)
"""A mailbox that was due this long ago, and that no worker has in hand, is not being looked after."""


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
    RETRYING = "retrying"
    WAITING = "waiting"
    IN_PROGRESS = "in_progress"
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
    Status.HELD: ("Held", Tone.BAD),
    Status.OVERDUE: ("Overdue", Tone.WARN),
    Status.RETRYING: ("Retrying", Tone.WARN),
    Status.WAITING: ("Waiting its turn", Tone.BUSY),
    Status.IN_PROGRESS: ("In progress", Tone.BUSY),
    Status.UP_TO_DATE: ("Up to date", Tone.OK),
    Status.STOPPED: ("Stopped", Tone.OFF),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of one thing in words: a badge, a sentence, and whether a worker is at it right now."""

    label: str
    tone: Tone
    sentence: str
    working: bool = False


def with_status(mailboxes: QuerySet[Mailbox], now: datetime) -> QuerySet[JudgedMailbox]:
    """These mailboxes, each annotated with `status`, the value of its `Status` at this time."""
    held = (
        Q(integration__held_until__isnull=False)
        | Q(bucket__held_until__isnull=False)
        | Q(bucket__destination__held_until__isnull=False)
    )
    leased = Q(state__lease_until__gt=now)
    somebody_works = Exists(MailboxState.objects.filter(lease_until__gt=now))
    status = Case(
        When(
            Q(integration__enabled=False) | Q(enabled=False, disabled_reason=DisabledReason.USER), _is(Status.STOPPED)
        ),
        When(Q(enabled=False), _is(Status.NEEDS_YOU)),
        When(held, _is(Status.HELD)),
        When(Q(state__failures__gt=0), _is(Status.RETRYING)),
        When(late_since(now) & Q(somebody_works), _is(Status.WAITING)),
        When(late_since(now), _is(Status.OVERDUE)),
        When(Q(state__up_to_date=True), _is(Status.UP_TO_DATE)),
        When(leased, _is(Status.IN_PROGRESS)),
        default=_is(Status.WAITING),
        output_field=CharField(),
    )
    return mailboxes.annotate(status=status)


def late_since(now: datetime) -> Q:
    """Mailboxes that were due long ago and that no worker has in hand: whatever the reason is."""
    return Q(state__next_sync_at__lt=now - OVERDUE_AFTER) & ~Q(state__lease_until__gt=now)


def _is(status: Status) -> Value:
    return Value(status.value)


def status_of(mailbox: JudgedMailbox) -> Status:
    return Status(mailbox.status)


def count_by_status(mailboxes: QuerySet[Mailbox], now: datetime) -> dict[Status, int]:
    """How many of these mailboxes are in which state, worst state first, without the states that none is in."""
    rows = with_status(mailboxes, now).order_by().values_list("status").annotate(Count("pk"))
    found = {Status(name): count for name, count in rows}
    return {status: found[status] for status in Status if status in found}


def count_by_integration(now: datetime) -> dict[int, dict[Status, int]]:
    """The same for every integration that has a mailbox, by its primary key."""
    rows = (
        with_status(Mailbox.objects.all(), now).order_by().values_list("integration_id", "status").annotate(Count("pk"))
    )
    counts: dict[int, dict[Status, int]] = {}
    for integration, name, count in rows:
        counts.setdefault(integration, {})[Status(name)] = count
    return counts


def state_of(mailbox: Mailbox) -> MailboxState | None:
    """None when the mailbox is so new that nobody looked at it yet."""
    state: MailboxState | None = getattr(mailbox, "state", None)
    return state


def mailbox_standing(mailbox: JudgedMailbox, now: datetime, doing: str = "") -> Standing:
    """Of a mailbox with its integration, bucket, destination and state at hand. `doing`: what its worker is at, in words."""
    status = status_of(mailbox)
    state = state_of(mailbox)
    working = state is not None and state.lease_until is not None and state.lease_until > now
    label = _label(mailbox, status, working, doing, now)
    return Standing(label, status.tone, _mailbox_sentence(mailbox, status, state, now), working)


def _label(mailbox: Mailbox, status: Status, working: bool, doing: str, now: datetime) -> str:
    if status is Status.STOPPED and working:
        return "Stopping"
    if status is Status.IN_PROGRESS:
        return doing or "Listing"
    if status is Status.WAITING and _is_late(state_of(mailbox), now):
        return "Waiting for a free worker"
    if status is Status.HELD:
        until = _what_is_held(mailbox).held_until
        return (
            f"Held until {clock(until, now).removeprefix('at ').removeprefix('on ')}"
            if until and until > now
            else "Held"
        )
    return status.label


def _mailbox_sentence(mailbox: Mailbox, status: Status, state: MailboxState | None, now: datetime) -> str:
    match status:
        case Status.STOPPED:
            return "" if mailbox.integration.enabled else "Its integration is stopped."
        case Status.NEEDS_YOU:
            return mailbox.disabled_detail or f"{mailbox.get_disabled_reason_display()}."
        case Status.HELD:
            return hold_sentence(_what_is_held(mailbox), now)
        case Status.RETRYING if state is not None:
            return _then(state.error_text, "Next try", state.next_sync_at, now)
        case Status.WAITING if state is not None and state.next_sync_at is not None and _is_late(state, now):
            return f"It was due {clock(state.next_sync_at, now)}; all workers are busy with other mailboxes."
        case Status.OVERDUE if state is not None and state.next_sync_at is not None:
            return f"It was due {clock(state.next_sync_at, now)}, and no worker took it. Is a worker running?"
    return ""


def _is_late(state: MailboxState | None, now: datetime) -> bool:
    return state is not None and state.next_sync_at is not None and state.next_sync_at < now - OVERDUE_AFTER


def _what_is_held(mailbox: Mailbox) -> Integration | Destination | Bucket:
    bucket = mailbox.bucket
    return next((held for held in (mailbox.integration, bucket.destination) if held.is_held), bucket)


def hold_sentence(held: Integration | Destination | Bucket, now: datetime) -> str:
    """Why something is held, and when it is tried again."""
    return _then(held.held_detail, "Next try", held.held_until, now)


def _then(text: str, what: str, when: datetime | None, now: datetime) -> str:
    if when is None or when <= now:
        return text
    return f"{closed(text)} {what} {clock(when, now)}.".strip()


def integration_standing(integration: Integration, counts: Mapping[Status, int], now: datetime) -> Standing:
    """Of an integration whose mailboxes are counted by state."""
    if not integration.enabled:
        by_user = integration.disabled_reason == DisabledReason.USER
        sentence = f"{integration.get_disabled_reason_display()}. {integration.disabled_detail}".strip()
        return Standing("Stopped", Tone.OFF if by_user else Tone.BAD, sentence)
    if integration.is_held:
        return Standing("Held", Tone.BAD, hold_sentence(integration, now))
    working = Status.IN_PROGRESS in counts
    return Standing("Running", _worst(counts), _tally(counts), working)


def _worst(counts: Mapping[Status, int]) -> Tone:
    tones = {status.tone for status in counts}
    return Tone.WARN if tones & {Tone.BAD, Tone.WARN} else Tone.OK


def _tally(counts: Mapping[Status, int]) -> str:
    """As in "38 of 40 mailboxes up to date, 2 held."."""
    total = sum(counts.values())
    if not total:
        return "It has no mailboxes yet."
    done = counts.get(Status.UP_TO_DATE, 0)
    noun = "mailbox" if total == 1 else "mailboxes"
    rest = [_counted(status, counts[status]) for status in Status if status in counts and status != Status.UP_TO_DATE]
    return ", ".join([f"{done} of {total} {noun} up to date", *rest]) + "."


def _counted(status: Status, count: int) -> str:
    if status is Status.NEEDS_YOU:
        return f"{count} need{'s' if count == 1 else ''} you"
    if status is Status.WAITING:
        return f"{count} waiting {'its' if count == 1 else 'their'} turn"
    return f"{count} {status.label.lower()}"


def hold_standing(held: Destination | Bucket, now: datetime) -> Standing:
    """Of a destination or a bucket: it is held, or nothing is known against it."""
    if held.is_held:
        return Standing("Held", Tone.BAD, hold_sentence(held, now))
    return Standing("In use", Tone.OK, "")


def folder_standing(folder: SyncedFolder, wanted: bool) -> Standing:
    """Of a folder of a mailbox. `wanted`: whether its mail is, by the filters as they are now."""
    if not wanted:
        return Standing("Not wanted", Tone.OFF, "")
    if folder.up_to_date:
        return Standing("Up to date", Tone.OK, "")
    return Standing("In progress" if folder.cursor else "Waiting its turn", Tone.BUSY, "")


def clock(when: datetime, now: datetime) -> str:
    """A time for a sentence: "at 14:05", or with its date when that is not today."""
    local = timezone.localtime(when)
    today = local.date() == timezone.localtime(now).date()
    return f"at {date_format(local, 'H:i')}" if today else f"on {date_format(local, 'j M, H:i')}"


def parse_status(text: str | None) -> Status | None:
    """The state that a page is asked to filter by; None for anything else."""
    return Status(text) if text in set(Status) else None


def choices(counts: Iterable[Status]) -> list[tuple[str, str]]:
    """For a filter: value and label of each of these states."""
    return [(status.value, status.label) for status in counts]
