"""Detect a standstill (work is due and is not done) and its cause, from heartbeats of processes and from overdue work.

All data comes from the database, so a page can detect a standstill while the broker and all workers are down. Every
process that is still running can store the notification about a standstill: see `config.process_guard`. Most kinds are
detected within a minute. Syncs that do not end are detected after their time limit: `SYNC_SLICE` plus `MARGIN`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db.models import Max, Min, Q
from django.utils.text import capfirst

from integrations import catalogue
from integrations.errors import SecretUnreadable
from integrations.models import Destination, Integration
from mailboxes.models import Mailbox
from notifications import outbox
from sync.jobs import connection_breakers, processes
from sync.jobs.lateness import DUE
from sync.models import MailboxState, Process, SyncRun, Tick, Verification
from sync.reporting.status import Tone

QUIET = timedelta(seconds=40)
"""The longest normal time between two runs of `sync.tasks.dispatch`, or between the ends of two syncs while mailboxes
are due."""
BROKER_GRACE = timedelta(seconds=15)
"""An outage of the broker up to this length is not reported: it may be a restart."""
MARGIN = timedelta(seconds=30)
"""The time by which a sync may exceed its slice, because it finishes its current batch."""


class StandstillKind(StrEnum):
    """The kinds of standstill, causes before their consequences. The values are labels of a metric."""

    BROKER_AWAY = "broker_away"
    BROKER_REFUSES = "broker_refuses"
    NO_WORKER = "no_worker"
    SLOTS_STUCK = "slots_stuck"
    NO_BEAT = "no_beat"
    NO_TICK = "no_tick"
    NOTHING_ENDS = "nothing_ends"
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105  # the name of a fault
    WORKER_UNFIT = "worker_unfit"


NOTHING_LOST = "No email is lost: syncing resumes automatically afterwards."


@dataclass(frozen=True, slots=True)
class Standstill:
    """A standstill.

    Attributes:
        kind: Its kind.
        about: Name of the part that does not work.
        text: What happened and what to do.
        since: When it began, aware.
        tone: The severity.
        error: The kind of the error, for the catalogue; empty for none.
    """

    kind: StandstillKind
    about: str
    text: str
    since: datetime
    tone: Tone = Tone.BAD
    error: str = ""


def found(now: datetime, integrations: Iterable[Integration] | None = None) -> list[Standstill]:
    """Return the current standstills. While no integration is enabled, no standstill is reported.

    Args:
        now: Current time, aware.
        integrations: All integrations, if the caller has loaded them; None if this function must load them.

    Returns:
        The standstills, causes before their consequences.
    """
    loaded = Integration.objects.all() if integrations is None else integrations
    if not any(integration.enabled for integration in loaded):
        return []
    alive = processes.alive(now)
    workers = processes.workers_of(alive)
    # Only the first of these standstills is reported, because the others can be its consequences.
    stopped = next((it for it in _stopped(now, alive, workers) if it is not None), None)
    return [*([stopped] if stopped else []), *_secrets(workers), *_unfit(workers)]


def _stopped(now: datetime, alive: Sequence[Process], workers: Sequence[Process]) -> Iterator[Standstill | None]:
    yield _broker(now, alive)
    tick = _last_tick()
    if not workers:
        yield _no_worker(tick, now)
    yield _stuck(workers, now)
    yield _no_tick(tick, now, alive, workers)
    yield _nothing_ends(now, workers)


def _broker(now: datetime, alive: Sequence[Process]) -> Standstill | None:
    cut_off = [one for one in alive if one.broker and one.broker_since and one.broker_since <= now - BROKER_GRACE]
    if not cut_off:
        return None
    refuses = any(one.broker == Process.Broker.REFUSES for one in cut_off)
    kind = StandstillKind.BROKER_REFUSES if refuses else StandstillKind.BROKER_AWAY
    names = "" if len(cut_off) == len(alive) else f" {_names(cut_off)}"
    if refuses:
        clients = f" from{names}" if names else ""
        text = f"Redis rejects writes{clients}: it is full or read-only. Check its memory (maxmemory) and its role."
    else:
        text = f"Redis does not answer{names}. Check that it runs, and REDIS_URL."
    since = min(one.broker_since for one in cut_off if one.broker_since)
    return Standstill(kind, "Redis", f"{text} {NOTHING_LOST}", since, Tone.WARN if names else Tone.BAD)


def _no_worker(tick: datetime | None, now: datetime) -> Standstill | None:
    last = Process.objects.filter(kind=Process.Kind.WORKER).aggregate(at=Max("seen_at"))["at"]
    since = max((at for at in (last, tick) if at), default=None) or _first_asked()
    if since is None or since > now - QUIET:
        return None
    text = f"No worker is running, or none reaches the database. Start one. {NOTHING_LOST}"
    return Standstill(StandstillKind.NO_WORKER, "Workers", text, since)


def _stuck(workers: Sequence[Process], now: datetime) -> Standstill | None:
    """Report only if all slots of all workers are stuck. Otherwise the free slots do the work."""
    busy = [one.busy_since for one in workers if one.busy_since]
    if not busy or len(busy) < len(workers) or max(busy) > now - settings.SYNC_SLICE - MARGIN:
        return None
    text = (
        "Every slot of every worker has had the same task for longer than a sync may take. Restart the workers. If "
        "this happens again, report it with the log of the workers."
    )
    return Standstill(StandstillKind.SLOTS_STUCK, "Workers", text, max(busy))


def _no_tick(
    tick: datetime | None, now: datetime, alive: Sequence[Process], workers: Sequence[Process]
) -> Standstill | None:
    since = tick or _first_asked()
    if since is None or since > now - max(QUIET, 4 * settings.DISPATCH_EVERY):
        return None
    if workers and all(one.busy_since for one in workers):
        return None  # the task `dispatch` needs a free slot, too
    if not any(one.kind == Process.Kind.BEAT for one in alive):
        return Standstill(StandstillKind.NO_BEAT, "Beat", f"Beat is not running. Start it. {NOTHING_LOST}", since)
    text = (
        "No worker searches for mailboxes that are due. Check that a worker for the queue control is running. "
        f"{NOTHING_LOST}"
    )
    return Standstill(StandstillKind.NO_TICK, "Beat", text, since)


def _nothing_ends(now: datetime, workers: Sequence[Process]) -> Standstill | None:
    """Report that mailboxes are due, no sync is running within its time limit, and none has ended recently."""
    due = Mailbox.objects.filter(connection_breakers.breakers_closed(), enabled=True, integration__enabled=True)
    due = due.exclude(processes.unreadable_by_all_workers(workers))
    oldest: datetime | None = due.aggregate(at=Min(DUE))["at"]
    if oldest is None or oldest > now - QUIET:
        return None
    # A verification may occupy the slot of a sync.
    if Verification.objects.filter(claimed_until__gt=now, ended_at=None).exists():
        return None
    runs = SyncRun.objects.filter(started_at__gt=now - settings.SYNC_SLICE - MARGIN)
    if runs.filter(Q(ended_at=None) | Q(ended_at__gt=now - QUIET)).exists():
        return None
    last: datetime | None = SyncRun.objects.aggregate(at=Max("started_at"))["at"]
    text = f"Mailboxes are due, and no sync ends. Check that a worker for the queue sync is running. {NOTHING_LOST}"
    return Standstill(StandstillKind.NOTHING_ENDS, "Syncs", text, max(oldest, last) if last else oldest)


def _secrets(workers: Sequence[Process]) -> Iterator[Standstill]:
    """Report each integration and destination with a secret that no worker can decrypt."""
    refs = processes.unreadable_by_all(workers)
    since = max((one.unreadable_since for one in workers if one.unreadable_since), default=None)
    if since is None:
        return
    rows: Iterable[Integration | Destination] = [*Integration.objects.all(), *Destination.objects.all()]
    for row in (row for row in rows if processes.reference(row) in refs):
        text = f"No worker can decrypt its secrets. {SecretUnreadable.remedy}"
        yield Standstill(
            StandstillKind.SECRET_UNREADABLE,
            capfirst(f"{row._meta.verbose_name} {row}"),
            text,
            since,
            error=SecretUnreadable.kind,
        )


def _unfit(workers: Sequence[Process]) -> Iterator[Standstill]:
    unfit = [one for one in workers if one.fault]
    for one in unfit:
        entry = catalogue.entry_of(one.fault)
        reason = f" {entry.text} {entry.remedy}" if entry else ""
        text = f"This worker takes no mailboxes.{reason} The worker checks again every minute."
        tone = Tone.BAD if len(unfit) == len(workers) else Tone.WARN
        yield Standstill(StandstillKind.WORKER_UNFIT, one.node, text, one.fault_since or one.seen_at, tone, one.fault)


def _names(nodes: Iterable[Process]) -> str:
    return ", ".join(sorted({one.node for one in nodes}))


def _last_tick() -> datetime | None:
    return Tick.objects.filter(name="dispatch").values_list("at", flat=True).first()


def _first_asked() -> datetime | None:
    """Return the earliest request for a sync among the running mailboxes."""
    running = MailboxState.objects.filter(mailbox__enabled=True, mailbox__integration__enabled=True)
    first: datetime | None = running.aggregate(at=Min("asked_at"))["at"]
    return first


def announce(now: datetime) -> None:
    """Store a notification about each kind of standstill when it begins, and when it is over.

    Args:
        now: Current time, aware.
    """
    outbox.update_standstills({it.kind.value: f"{it.about}: {it.text}" for it in reversed(found(now))})
