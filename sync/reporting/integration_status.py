"""Count the mailboxes of an integration by status, and summarize them in one sentence. Read-only."""

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
from sync.reporting.status import Status, StatusSummary, Tone, bare, paused_sentence, with_status

EXCHANGE, REINFER = "Exchange", "Re:infer"
KINDS = {side: [error.kind for error in all_errors() if error.side() is side] for side in Side}
"""The kinds of errors, by the side that causes them."""


class StatusCounts(dict[Status, int]):
    """The number of mailboxes by status. A status without mailboxes has no entry.

    Attributes:
        holds: The paused mailboxes, by the side that causes the pause.
        stopping: Number of stopped mailboxes whose worker is still finishing its batch.
    """

    def __init__(
        self, counts: Mapping[Status, int] | None = None, holds: Iterable[PausedCount] = (), stopping: int = 0
    ) -> None:
        """Make the counts.

        Args:
            counts: Number of mailboxes by status.
            holds: The paused mailboxes, by the side that causes the pause.
            stopping: Number of stopped mailboxes whose worker is still finishing its batch.
        """
        super().__init__(counts or {})
        self.holds = list(holds)
        self.stopping = stopping


@dataclass(frozen=True, slots=True)
class PausedCount:
    """Paused mailboxes with one cause.

    Attributes:
        count: Number of mailboxes.
        by: The side that causes the pause: "Exchange", "Re:infer", or empty if unknown.
        until: The latest end of the pauses.
    """

    count: int
    by: str
    until: datetime | None


def count_by_status(mailboxes: QuerySet[Mailbox], now: datetime) -> StatusCounts:
    """Count mailboxes by status.

    Args:
        mailboxes: The mailboxes to count.
        now: Current time, aware.

    Returns:
        The counts, worst status first.
    """
    return _counts(list(_counted_rows(mailboxes, now).annotate(n=Count("pk"), until=Max("held_until"))))


def count_by_integration(now: datetime) -> dict[int, StatusCounts]:
    """Count the mailboxes of every integration by status.

    Args:
        now: Current time, aware.

    Returns:
        The counts by primary key of the integration, without integrations that have no mailbox.
    """
    rows = _counted_rows(Mailbox.objects.all(), now, "integration_id")
    rows_of: dict[int, list[dict[str, Any]]] = {}
    for row in rows.annotate(n=Count("pk"), until=Max("held_until")):
        rows_of.setdefault(row["integration_id"], []).append(row)
    return {integration: _counts(found) for integration, found in rows_of.items()}


def together(counts: Iterable[StatusCounts]) -> StatusCounts:
    """Add up the counts of several integrations.

    Args:
        counts: The counts of each integration.

    Returns:
        The sum.
    """
    parts = list(counts)
    summed = {status: sum(part.get(status, 0) for part in parts) for status in Status}
    paused = [count for part in parts for count in part.holds]
    stopping = sum(part.stopping for part in parts)
    return StatusCounts({status: count for status, count in summed.items() if count}, paused, stopping)


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
    paused = [PausedCount(row["n"], row["held_by"], row["until"]) for row in rows if row["status"] == Status.HELD]
    paused.sort(key=lambda group: group.count, reverse=True)
    stopping = sum(row["n"] for row in rows if row["stopping"])
    return StatusCounts({status: found[status] for status in Status if status in found}, paused, stopping)


def integration_standing(integration: Integration, counts: StatusCounts, now: datetime) -> StatusSummary:
    """Return the state of an integration as texts.

    Args:
        integration: The integration.
        counts: Its mailboxes by status.
        now: Current time, aware.

    Returns:
        The summary.
    """
    if not integration.enabled:
        by_user = integration.disabled_reason == DisabledReason.USER
        sentence = f"{integration.get_disabled_reason_display()}. {integration.disabled_sentence}".strip()
        tone = Tone.OFF if by_user else Tone.BAD
        if counts.stopping:
            return StatusSummary("Stopping", tone, f"{closed(sentence)} {_stopping(counts.stopping)}", working=True)
        return StatusSummary("Stopped", tone, sentence)
    if integration.is_held:
        return StatusSummary("Paused", Tone.BAD, paused_sentence(integration, now))
    working = bool(counts.keys() & {Status.LISTING, Status.IN_PROGRESS})
    return StatusSummary("Running", _worst(counts), _tally(counts, now), working)


def _stopping(count: int) -> str:
    return "1 mailbox is finishing its batch." if count == 1 else f"{count:,} mailboxes are finishing their batches."


def _worst(counts: Mapping[Status, int]) -> Tone:
    tones = {status.tone for status in counts}
    return Tone.WARN if tones & {Tone.BAD, Tone.WARN} else Tone.OK


def _tally(counts: StatusCounts, now: datetime) -> str:
    """Return for example "38 of 40 mailboxes up to date, 2 paused by Exchange until 14:05."."""
    total = sum(counts.values())
    if not total:
        return "It has no mailboxes yet."
    done = counts.get(Status.UP_TO_DATE, 0)
    noun = "mailbox" if total == 1 else "mailboxes"
    parts = [f"{done:,} of {total:,} {noun} up to date"]
    for status, count in counts.items():
        if status is Status.HELD and counts.holds:
            parts += [_paused(group, now) for group in counts.holds]
        elif status is not Status.UP_TO_DATE:
            parts.append(_counted(status, count))
    return ", ".join(parts) + "."


def _paused(group: PausedCount, now: datetime) -> str:
    by = f" by {group.by}" if group.by else ""
    until = f" until {bare(group.until, now)}" if group.until and group.until > now else ""
    return f"{group.count:,} paused{by}{until}"


def _counted(status: Status, count: int) -> str:
    if status is Status.NEEDS_YOU:
        return f"{count:,} require{'s' if count == 1 else ''} action"
    if status is Status.LEFT_OUT:
        return f"{count:,} with folders left out"
    return f"{count:,} {status.label.lower()}"
