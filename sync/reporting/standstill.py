"""Whether the product stands still, and why: told by what its processes say of themselves and by what they leave undone.

All of it is read from the database, so a page can work it out while the broker and every worker are away. Whoever lives
tells of it by notices: see `config.process_guard`. A standstill is seen within a minute.
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
"""Without a tick, or the end of a sync while mailboxes are due: a moment is as long as it may take in good order."""
BLIP = timedelta(seconds=15)
"""For which a broker may be away unsaid: a restart."""
MARGIN = timedelta(seconds=30)
"""That a sync may take beyond its slice: it ends at its next batch."""


class StandstillKind(StrEnum):
    """What stands still. The order is that of the causes: what comes first explains what comes later."""

    BROKER_AWAY = "broker_away"
    BROKER_REFUSES = "broker_refuses"
    NO_WORKER = "no_worker"
    SLOTS_STUCK = "slots_stuck"
    NO_BEAT = "no_beat"
    NO_TICK = "no_tick"
    NOTHING_ENDS = "nothing_ends"
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105  # the name of a fault
    WORKER_UNFIT = "worker_unfit"


ALL_GOES_ON = "Nothing is lost: syncing goes on by itself afterwards."


@dataclass(frozen=True, slots=True)
class Standstill:
    kind: StandstillKind
    about: str
    """What it is about, in a word or two."""
    text: str
    since: datetime
    tone: Tone = Tone.BAD
    error: str = ""
    """The kind of the error, for the catalogue."""


def found(now: datetime, integrations: Iterable[Integration] | None = None) -> list[Standstill]:
    """All that stands still now, causes before what follows from them. Nothing while nothing is switched on. `integrations`:
    all of them, where they are at hand."""
    given = Integration.objects.all() if integrations is None else integrations
    if not any(integration.enabled for integration in given):
        return []
    alive = processes.alive(now)
    workers = processes.workers_of(alive)
    # One cause is enough: the others would only be its consequences.
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
    cut_off = [one for one in alive if one.broker and one.broker_since and one.broker_since <= now - BLIP]
    if not cut_off:
        return None
    refuses = any(one.broker == Process.Broker.REFUSES for one in cut_off)
    kind = StandstillKind.BROKER_REFUSES if refuses else StandstillKind.BROKER_AWAY
    who = "" if len(cut_off) == len(alive) else f" {_names(cut_off)}"
    if refuses:
        whom = f" from{who}" if who else ""
        text = f"Redis takes nothing{whom}: it is full or read-only. Check its memory (maxmemory) and its role."
    else:
        text = f"Redis does not answer{who}. Check that it runs, and REDIS_URL."
    since = min(one.broker_since for one in cut_off if one.broker_since)
    return Standstill(kind, "Redis", f"{text} {ALL_GOES_ON}", since, Tone.WARN if who else Tone.BAD)


def _no_worker(tick: datetime | None, now: datetime) -> Standstill | None:
    last = Process.objects.filter(kind=Process.Kind.WORKER).aggregate(at=Max("seen_at"))["at"]
    since = max((at for at in (last, tick) if at), default=None) or _first_asked()
    if since is None or since > now - QUIET:
        return None
    text = f"No worker is running, or none reaches the database. Start one. {ALL_GOES_ON}"
    return Standstill(StandstillKind.NO_WORKER, "Workers", text, since)


def _stuck(workers: Sequence[Process], now: datetime) -> Standstill | None:
    """All slots of all workers, and not one: the others take its share."""
    busy = [one.busy_since for one in workers if one.busy_since]
    if not busy or len(busy) < len(workers) or max(busy) > now - settings.SYNC_SLICE - MARGIN:
        return None
    text = (
        "Every slot of every worker has had the same task for longer than a sync may take. Restart the workers; if it comes "
        "again, report it with their log."
    )
    return Standstill(StandstillKind.SLOTS_STUCK, "Workers", text, max(busy))


def _no_tick(
    tick: datetime | None, now: datetime, alive: Sequence[Process], workers: Sequence[Process]
) -> Standstill | None:
    since = tick or _first_asked()
    if since is None or since > now - max(QUIET, 4 * settings.DISPATCH_EVERY):
        return None
    if workers and all(one.busy_since for one in workers):
        return None  # a tick waits for a slot as everything does
    if not any(one.kind == Process.Kind.BEAT for one in alive):
        return Standstill(StandstillKind.NO_BEAT, "Beat", f"Beat is not running. Start it. {ALL_GOES_ON}", since)
    text = f"Nobody looks for mailboxes that are due. Is there a worker for the queue control? {ALL_GOES_ON}"
    return Standstill(StandstillKind.NO_TICK, "Beat", text, since)


def _nothing_ends(now: datetime, workers: Sequence[Process]) -> Standstill | None:
    """Mailboxes are due, none is being synced as it should be, and none came to an end lately."""
    due = Mailbox.objects.filter(connection_breakers.not_held(), enabled=True, integration__enabled=True)
    due = due.exclude(processes.opened_by_nobody(workers))
    oldest: datetime | None = due.aggregate(at=Min(DUE))["at"]
    if oldest is None or oldest > now - QUIET:
        return None
    # A verification may have the place of a sync.
    if Verification.objects.filter(claimed_until__gt=now, ended_at=None).exists():
        return None
    runs = SyncRun.objects.filter(started_at__gt=now - settings.SYNC_SLICE - MARGIN)
    if runs.filter(Q(ended_at=None) | Q(ended_at__gt=now - QUIET)).exists():
        return None
    last: datetime | None = SyncRun.objects.aggregate(at=Max("started_at"))["at"]
    text = f"Mailboxes are due, and no sync ends. Is there a worker for the queue sync? {ALL_GOES_ON}"
    return Standstill(StandstillKind.NOTHING_ENDS, "Syncs", text, max(oldest, last) if last else oldest)


def _secrets(workers: Sequence[Process]) -> Iterator[Standstill]:
    """Of each integration and destination: what no worker can decrypt."""
    refs = processes.unreadable_by_all(workers)
    since = max((one.unreadable_since for one in workers if one.unreadable_since), default=None)
    if since is None:
        return
    rows: Iterable[Integration | Destination] = [*Integration.objects.all(), *Destination.objects.all()]
    for row in (row for row in rows if processes.reference(row) in refs):
        text = f"No worker can decrypt a secret of it. {SecretUnreadable.remedy}"
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
        said = f" {entry.text} {entry.remedy}" if entry else ""
        text = f"It takes no mailboxes.{said} It looks again every minute."
        tone = Tone.BAD if len(unfit) == len(workers) else Tone.WARN
        yield Standstill(StandstillKind.WORKER_UNFIT, one.node, text, one.fault_since or one.seen_at, tone, one.fault)


def _names(some: Iterable[Process]) -> str:
    return ", ".join(sorted({one.node for one in some}))


def _last_tick() -> datetime | None:
    return Tick.objects.filter(name="dispatch").values_list("at", flat=True).first()


def _first_asked() -> datetime | None:
    """When the first of the mailboxes that run was switched on."""
    running = MailboxState.objects.filter(mailbox__enabled=True, mailbox__integration__enabled=True)
    first: datetime | None = running.aggregate(at=Min("asked_at"))["at"]
    return first


def announce(now: datetime) -> None:
    """Tell of what stands still, once for each kind, and when it is over."""
    outbox.keep_told({it.kind.value: f"{it.about}: {it.text}" for it in reversed(found(now))})
