"""The workers and beats that run, as they say of themselves every few seconds: written past the broker, so that it is known
who lives while the broker is away.

A worker and the processes of its pool have one name, drawn when it starts. Its row goes when it ends in order.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from integrations.connect import has_secrets, open_secrets
from integrations.errors import SecretUnreadable
from integrations.models import Destination, Integration
from sync.models import Process

NAME = uuid.uuid4().hex
"""Of this worker or beat; those that it forks have the same."""
EVERY = 10.0
"""Seconds between two words of a process."""
ALIVE = timedelta(seconds=40)
"""How long after its last word a process counts as alive."""
FORGOTTEN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Word:
    """What a process says of itself."""

    broker: str = ""
    """A value of `Process.Broker`, or empty."""
    busy: timedelta | None = None
    """Of a worker: for how long each of its slots has had the task that it has; None while one is free."""
    unreadable: Sequence[str] = ()
    fault: str = ""


def this_process() -> str:
    """The name of this very process, as a run of it is marked."""
    return name_of(os.getpid())


def name_of(pid: int | str) -> str:
    """The name of a process of this worker. Of an empty pid: what all of their names begin with."""
    return f"{NAME}:{pid}"


def say(kind: str, node: str, word: Word, now: datetime) -> None:
    """Write down that this process lives, and what it says."""
    row = Process.objects.filter(pk=NAME).first() or Process(
        name=NAME, kind=kind, node=node[:255], host=socket.gethostname()[:255], started_at=now
    )
    row.seen_at = now
    row.broker, row.broker_since = word.broker, _since(word.broker, row.broker, row.broker_since, now)
    row.fault, row.fault_since = word.fault, _since(word.fault, row.fault, row.fault_since, now)
    unreadable = sorted(word.unreadable)
    row.unreadable_since = _since(bool(unreadable), bool(row.unreadable), row.unreadable_since, now)
    row.unreadable = unreadable
    row.busy_since = now - word.busy if word.busy is not None else None
    row.save()


def _since(is_now: object, was: object, since: datetime | None, now: datetime) -> datetime | None:
    return (since if since and is_now == was else now) if is_now else None


def sign_off() -> None:
    """This process ends in order."""
    Process.objects.filter(pk=NAME).delete()


def forget_old(now: datetime) -> None:
    """Processes that ended long ago without a word."""
    Process.objects.filter(seen_at__lt=now - FORGOTTEN).delete()


def alive(now: datetime) -> list[Process]:
    """Those that said something lately, by the database's clock; the one that was started first comes first."""
    return list(Process.objects.filter(seen_at__gt=now - ALIVE).order_by("started_at"))


def workers_of(some: Iterable[Process]) -> list[Process]:
    return [one for one in some if one.kind == Process.Kind.WORKER]


# ---- secrets ----------------------------------------------------------------------------------------------------------


def unreadable_here() -> tuple[list[str], bool]:
    """Which integrations and destinations in use have a secret that this process cannot decrypt, and whether there is one
    in use that it can."""
    used = Destination.objects.filter(
        buckets__mailboxes__enabled=True, buckets__mailboxes__integration__enabled=True
    ).distinct()
    rows: list[Integration | Destination] = [*Integration.objects.filter(enabled=True), *used.order_by("pk")]
    sealed = [row for row in rows if has_secrets(row)]
    unreadable = [reference(row) for row in sealed if not _opens(row)]
    return unreadable, len(unreadable) < len(sealed)


def _opens(row: Integration | Destination) -> bool:
    try:
        open_secrets(row)
    except SecretUnreadable:
        return False
    return True


def reference(row: Integration | Destination) -> str:
    """How a process names what it cannot open."""
    return f"{row._meta.model_name}:{row.pk}"


def unreadable_by_all(some: Iterable[Process]) -> set[str]:
    """What none of the workers among these processes can decrypt; nothing where there is none."""
    each = [set(worker.unreadable) for worker in workers_of(some)]
    return set.intersection(*each) if each else set()


def others_open(refs: Iterable[str], now: datetime) -> bool:
    """Whether another worker that lives can decrypt one of these."""
    others = [one for one in workers_of(alive(now)) if one.pk != NAME]
    return bool(others) and not set(refs) <= unreadable_by_all(others)


def opened_by_nobody(some: Iterable[Process]) -> Q:
    """Mailboxes with a secret that no worker among these processes can decrypt."""
    refs = unreadable_by_all(some)
    return Q(integration__in=_ids(refs, Integration)) | Q(bucket__destination__in=_ids(refs, Destination))


def _ids(refs: Iterable[str], model: type[Integration] | type[Destination]) -> list[int]:
    pairs = (ref.partition(":") for ref in refs)
    return [int(pk) for name, _, pk in pairs if name == model._meta.model_name]
