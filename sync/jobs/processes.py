"""The heartbeats of the running workers and beats. Each worker and each beat stores a heartbeat every ten seconds.

Heartbeats are written to the database and not sent over the broker, so running processes are known while the broker is
down. A worker and the processes of its pool share one random name, which is generated when the worker starts. The row
of a worker or beat is deleted when it ends normally.
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
"""Name of this worker or beat, shared with its forked processes."""
EVERY = 10.0
"""Seconds between two heartbeats of a worker or beat."""
ALIVE = timedelta(seconds=40)
"""How long after its last heartbeat a process counts as alive."""
FORGOTTEN = timedelta(days=1)
"""How long after its last heartbeat the row of a process is deleted."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The content of a heartbeat.

    Attributes:
        broker: A value of `Process.Broker`: why the broker cannot be used. Empty when it can be used.
        busy: For how long all slots of a worker have been running their current tasks; None while a slot is free.
        unreadable: References of the integrations and destinations whose secrets the process cannot decrypt.
        fault: Kind of the fault because of which a worker takes no mailboxes; empty when there is none.
    """

    broker: str = ""
    busy: timedelta | None = None
    unreadable: Sequence[str] = ()
    fault: str = ""


def this_process() -> str:
    """Return the name of this process, which is stored with its runs."""
    return name_of(os.getpid())


def name_of(pid: int | str) -> str:
    """Return the name of a process of this worker.

    Args:
        pid: The process id; empty for the common prefix of all process names of this worker.

    Returns:
        The name.
    """
    return f"{NAME}:{pid}"


def record_heartbeat(kind: str, node: str, heartbeat: Heartbeat, now: datetime) -> None:
    """Store a heartbeat of this process.

    Args:
        kind: A value of `Process.Kind`.
        node: The Celery node name, such as `celery@host`.
        heartbeat: The content.
        now: The current time in UTC.
    """
    row = Process.objects.filter(pk=NAME).first() or Process(
        name=NAME, kind=kind, node=node[:255], host=socket.gethostname()[:255], started_at=now
    )
    row.seen_at = now
    row.broker, row.broker_since = heartbeat.broker, _since(heartbeat.broker, row.broker, row.broker_since, now)
    row.fault, row.fault_since = heartbeat.fault, _since(heartbeat.fault, row.fault, row.fault_since, now)
    unreadable = sorted(heartbeat.unreadable)
    row.unreadable_since = _since(bool(unreadable), bool(row.unreadable), row.unreadable_since, now)
    row.unreadable = unreadable
    row.busy_since = now - heartbeat.busy if heartbeat.busy is not None else None
    row.save()


def _since(value: object, previous: object, since: datetime | None, now: datetime) -> datetime | None:
    """Return since when a value has been the same; None when it is empty."""
    return (since if since and value == previous else now) if value else None


def sign_off() -> None:
    """Delete the row of this process when it ends normally."""
    Process.objects.filter(pk=NAME).delete()


def forget_old(now: datetime) -> None:
    """Delete the rows of processes whose last heartbeat is too old: they ended without deleting their row.

    Args:
        now: The current time in UTC.
    """
    Process.objects.filter(seen_at__lt=now - FORGOTTEN).delete()


def alive(now: datetime) -> list[Process]:
    """Return the processes with a recent heartbeat.

    Args:
        now: The current time in UTC, by the database's clock.

    Returns:
        The processes, ordered by their start.
    """
    return list(Process.objects.filter(seen_at__gt=now - ALIVE).order_by("started_at"))


def workers_of(some: Iterable[Process]) -> list[Process]:
    """Return the workers among some processes.

    Args:
        some: The processes.

    Returns:
        The workers, in the same order.
    """
    return [process for process in some if process.kind == Process.Kind.WORKER]


# ---- secrets ------------------------------------------------------------------------------------------------------


def unreadable_here() -> tuple[list[str], bool]:
    """Try to decrypt the secrets of all enabled integrations and of the destinations of enabled mailboxes.

    Returns:
        The references of the rows whose secrets this process cannot decrypt, and whether it can decrypt the secrets of
        at least one other row.
    """
    used = Destination.objects.filter(
        buckets__mailboxes__enabled=True, buckets__mailboxes__integration__enabled=True
    ).distinct()
    rows: list[Integration | Destination] = [*Integration.objects.filter(enabled=True), *used.order_by("pk")]
    encrypted = [row for row in rows if has_secrets(row)]
    unreadable = [reference(row) for row in encrypted if not _opens(row)]
    return unreadable, len(unreadable) < len(encrypted)


def _opens(row: Integration | Destination) -> bool:
    try:
        open_secrets(row)
    except SecretUnreadable:
        return False
    return True


def reference(row: Integration | Destination) -> str:
    """Return the text by which a heartbeat refers to a row.

    Args:
        row: An integration or a destination.

    Returns:
        The model name and the primary key, such as `integration:1`.
    """
    return f"{row._meta.model_name}:{row.pk}"


def unreadable_by_all(some: Iterable[Process]) -> set[str]:
    """Return the references of the integrations and destinations whose secrets no worker can decrypt.

    Args:
        some: Processes. Those that are no workers are ignored.

    Returns:
        The references; empty when there is no worker.
    """
    each = [set(worker.unreadable) for worker in workers_of(some)]
    return set.intersection(*each) if each else set()


def others_open(refs: Iterable[str], now: datetime) -> bool:
    """Return whether another running worker can decrypt the secrets of at least one of these rows.

    Args:
        refs: References of integrations and destinations.
        now: The current time in UTC.

    Returns:
        True if such a worker is running.
    """
    others = [worker for worker in workers_of(alive(now)) if worker.pk != NAME]
    return bool(others) and not set(refs) <= unreadable_by_all(others)


def unreadable_by_all_workers(some: Iterable[Process]) -> Q:
    """Return the condition that a mailbox has a secret that no worker can decrypt.

    Args:
        some: Processes. Those that are no workers are ignored.

    Returns:
        A condition for `filter` of mailboxes.
    """
    refs = unreadable_by_all(some)
    return Q(integration__in=_ids(refs, Integration)) | Q(bucket__destination__in=_ids(refs, Destination))


def _ids(refs: Iterable[str], model: type[Integration] | type[Destination]) -> list[int]:
    pairs = (ref.partition(":") for ref in refs)
    return [int(pk) for name, _, pk in pairs if name == model._meta.model_name]
