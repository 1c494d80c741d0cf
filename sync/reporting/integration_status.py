"""How the mailboxes of an integration are: counted by the database, and said in one sentence. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, CharField, Count, Max, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from integrations.bidi import closed
from integrations.errors import Side, all_errors
from integrations.models import DisabledReason, Integration
from mailboxes.models import Mailbox
from sync.jobs.connection_breakers import PATHS
from sync.reporting.status import Status, StatusSummary, Tone, bare, hold_sentence, with_status

EXCHANGE, REINFER = "Exchange", "Re:infer"
KINDS = {side: [error.kind for error in all_errors() if error.side() is side] for side in Side}
"""Of errors, by whose trouble they are."""


class StatusCounts(dict[Status, int]):
    """How many mailboxes are in which state, without the states that none is in; by whom those that are held are, and how many
    are still to come to a stop."""

    def __init__(
        self, counts: Mapping[Status, int] | None = None, holds: Iterable[PausedCount] = (), stopping: int = 0
    ) -> None:
        super().__init__(counts or {})
        self.holds = list(holds)
        self.stopping = stopping
        """Of those that are stopped: so many have a worker that is just ending its batch."""


@dataclass(frozen=True, slots=True)
class PausedCount:
    """So many mailboxes are held by `by` ("Exchange", "Re:infer", or empty) until then at the latest."""

    count: int
    by: str
    until: datetime | None


def count_by_status(mailboxes: QuerySet[Mailbox], now: datetime) -> StatusCounts:
    """How many of these mailboxes are in which state, worst state first."""
    return _counts(list(_counted_rows(mailboxes, now).annotate(n=Count("pk"), until=Max("held_until"))))


def count_by_integration(now: datetime) -> dict[int, StatusCounts]:
    """The same for every integration that has a mailbox, by its primary key."""
    rows = _counted_rows(Mailbox.objects.all(), now, "integration_id")
    of_each: dict[int, list[dict[str, Any]]] = {}
    for row in rows.annotate(n=Count("pk"), until=Max("held_until")):
        of_each.setdefault(row["integration_id"], []).append(row)
    return {integration: _counts(found) for integration, found in of_each.items()}


def together(counts: Iterable[StatusCounts]) -> StatusCounts:
    """Those of several integrations as one."""
    of_each = list(counts)
    summed = {status: sum(one.get(status, 0) for one in of_each) for status in Status}
    holds = [hold for one in of_each for hold in one.holds]
    stopping = sum(one.stopping for one in of_each)
    return StatusCounts({status: count for status, count in summed.items() if count}, holds, stopping)


def _counted_rows(mailboxes: QuerySet[Mailbox], now: datetime, *also: str) -> Any:
    by = Case(
        When(~Q(status=Status.HELD), Value("")),
        When(Q(integration__held_until__isnull=False), Value(EXCHANGE)),
        When(Q(bucket__destination__held_until__isnull=False) | Q(bucket__held_until__isnull=False), Value(REINFER)),
        When(state__error_kind__in=KINDS[Side.EXCHANGE], then=Value(EXCHANGE)),
        When(state__error_kind__in=KINDS[Side.REINFER], then=Value(REINFER)),
        default=Value(""),
        output_field=CharField(),
    )
    stopping = Case(When(Q(status=Status.STOPPED, state__lease_until__gt=now), Value(1)), default=Value(0))
    until = Coalesce(*(f"{path}__held_until" for path in PATHS), "state__next_sync_at")
    return (
        with_status(mailboxes, now)
        .annotate(held_by=by, held_until=until, stopping=stopping)
        .order_by()
        .values("status", "held_by", "stopping", *also)
    )


def _counts(rows: Sequence[Mapping[str, Any]]) -> StatusCounts:
    found: dict[Status, int] = {}
    for row in rows:
        found[Status(row["status"])] = found.get(Status(row["status"]), 0) + row["n"]
    holds = [PausedCount(row["n"], row["held_by"], row["until"]) for row in rows if row["status"] == Status.HELD]
    holds.sort(key=lambda hold: hold.count, reverse=True)
    stopping = sum(row["n"] for row in rows if row["stopping"])
    return StatusCounts({status: found[status] for status in Status if status in found}, holds, stopping)


def integration_standing(integration: Integration, counts: StatusCounts, now: datetime) -> StatusSummary:
    """Of an integration whose mailboxes are counted by state."""
    if not integration.enabled:
        by_user = integration.disabled_reason == DisabledReason.USER
        sentence = f"{integration.get_disabled_reason_display()}. {integration.disabled_sentence}".strip()
        tone = Tone.OFF if by_user else Tone.BAD
        if counts.stopping:
            return StatusSummary("Stopping", tone, f"{closed(sentence)} {_stopping(counts.stopping)}", working=True)
        return StatusSummary("Stopped", tone, sentence)
    if integration.is_held:
        return StatusSummary("Held", Tone.BAD, hold_sentence(integration, now))
    working = bool(counts.keys() & {Status.LISTING, Status.IN_PROGRESS})
    return StatusSummary("Running", _worst(counts), _tally(counts, now), working)


def _stopping(count: int) -> str:
    return (
        "1 mailbox is just ending its batch." if count == 1 else f"{count:,} mailboxes are just ending their batches."
    )


def _worst(counts: Mapping[Status, int]) -> Tone:
    tones = {status.tone for status in counts}
    return Tone.WARN if tones & {Tone.BAD, Tone.WARN} else Tone.OK


def _tally(counts: StatusCounts, now: datetime) -> str:
    """As in "38 of 40 mailboxes up to date, 2 held by Exchange until 14:05."."""
    total = sum(counts.values())
    if not total:
        return "It has no mailboxes yet."
    done = counts.get(Status.UP_TO_DATE, 0)
    noun = "mailbox" if total == 1 else "mailboxes"
    told = [f"{done:,} of {total:,} {noun} up to date"]
    for status, count in counts.items():
        if status is Status.HELD and counts.holds:
            told += [_held(hold, now) for hold in counts.holds]
        elif status is not Status.UP_TO_DATE:
            told.append(_counted(status, count))
    return ", ".join(told) + "."


def _held(hold: PausedCount, now: datetime) -> str:
    by = f" by {hold.by}" if hold.by else ""
    until = f" until {bare(hold.until, now)}" if hold.until and hold.until > now else ""
    return f"{hold.count:,} held{by}{until}"


def _counted(status: Status, count: int) -> str:
    if status is Status.NEEDS_YOU:
        return f"{count:,} need{'s' if count == 1 else ''} you"
    if status is Status.LEFT_OUT:
        return f"{count:,} lack{'s' if count == 1 else ''} a folder"
    if status is Status.WAITING:
        return f"{count:,} waiting {'its' if count == 1 else 'their'} turn"
    return f"{count:,} {status.label.lower()}"
