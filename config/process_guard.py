"""Self-monitoring of each Celery worker and of Celery beat. It runs in threads of the main process, without the broker.

A guard stores heartbeats (`sync.jobs.processes`). It stops the consumption of the queue `sync` while its worker is unfit
(`sync.jobs.worker_fitness`). It notifies administrators of a standstill (`sync.reporting.standstill`). Every worker and every
beat has a guard. If one process or a service fails, the guards of the other processes report the failure.
"""

from __future__ import annotations

import socket
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from celery.worker import state
from django.db import DatabaseError, connection

from integrations.errors import ProcessFault, SecretUnreadable
from integrations.product_errors import own_fault
from notifications import delivering
from sync.jobs import broker_log, processes, shutdown, worker_fitness
from sync.jobs.broker_probe import problem_of_broker
from sync.jobs.debounce import Debounce
from sync.models import Process
from sync.reporting import standstill
from sync.store.lease import database_now

log = structlog.get_logger(__name__)

QUEUE = "sync"
"""The queue that an unfit worker stops consuming. It continues to consume the queue `control`, whose tasks need no
secrets."""
STEP = 1.0
"""Seconds between two checks for a fault that a pool process of the worker reported."""
CHECK_EVERY = 60.0
"""Seconds between two checks of the fitness of this process."""
STANDSTILL_CHECK_EVERY = 10.0
"""Seconds between two checks for a standstill."""
DELIVERY_OVERDUE = timedelta(seconds=30)
"""How overdue a notification must be before the guard sends it in place of the Celery task."""


@dataclass(slots=True)
class Guard:
    """The guard of one process.

    Attributes:
        kind: A value of `Process.Kind`.
        node: The Celery node name, such as `celery@host`.
        consumer: The Celery consumer of a worker; None for beat.
        fault: Kind of the fault because of which the worker takes no mailboxes; empty if there is none.
    """

    kind: str
    node: str
    consumer: Any = None
    fault: str = ""
    _unreadable: list[str] = field(default_factory=list)
    _opens_some: bool = True
    _broker: str = ""
    _broker_since: float = 0.0

    def start(self) -> None:
        """Start the threads."""
        broker_log.OF_THIS_PROCESS.has_guard = True
        for name, loop in (("guard", self._monitor_process), ("guard-standstill", self._monitor_standstill)):
            threading.Thread(target=loop, daemon=True, name=name).start()

    # ---- fitness and heartbeats

    def _monitor_process(self) -> None:
        checks, heartbeats = Debounce(CHECK_EVERY), Debounce(processes.EVERY)
        while not shutdown.is_requested():
            has_new_fault = worker_fitness.has_failed() and not self.fault
            if checks.lets_pass() or has_new_fault:
                _run_safely(self.check)
            if heartbeats.lets_pass() or has_new_fault:
                self.check_broker()
                _run_safely(self.record_heartbeat)
            time.sleep(STEP)

    def check(self) -> None:
        """Check the fitness of this process.

        If the process is unfit, stop consuming the queue. If the process is fit again, start consuming the queue again.
        """
        self._unreadable, self._opens_some = processes.unreadable_here()
        fault = self._current_fault()
        if fault and not self.fault:
            worker_fitness.mark_unfit()
            self._queue("cancel_task_queue")
            log.error("worker.takes_no_mailboxes", kind=fault)
        elif self.fault and not fault:
            worker_fitness.mark_fit()
            self._queue("add_task_queue")
            log.warning("worker.takes_mailboxes_again")
        elif not fault and worker_fitness.has_failed():
            worker_fitness.mark_fit()
        self.fault = fault

    def _current_fault(self) -> str:
        """Return the kind of the fault because of which this worker must not take mailboxes; empty if there is none."""
        if self._unreadable and not self._opens_some:
            return SecretUnreadable.kind
        if not (self.fault or worker_fitness.has_failed()):
            return ""
        if self._unreadable:
            # If another worker can decrypt secrets that this worker cannot decrypt, this worker takes no mailboxes. Otherwise
            # it continues, and syncs the mailboxes whose secrets it can decrypt.
            return SecretUnreadable.kind if processes.others_open(self._unreadable, database_now()) else ""
        # A sync has just failed because of a fault of this machine. Pause until the next check, which tests the machine.
        if not self.fault:
            return worker_fitness.last_fault()
        fault = _fault_of_machine()
        return fault.kind if fault else ""

    def _queue(self, method: str) -> None:
        if self.consumer is not None:
            self.consumer.call_soon(getattr(self.consumer, method), QUEUE)

    def check_broker(self) -> None:
        """Log when the broker becomes unusable, and when it is usable again."""
        problem = problem_of_broker()
        if problem and not self._broker:
            self._broker_since = time.monotonic()
            log.error("broker.unusable", problem=problem)
        elif self._broker and not problem:
            log.warning("broker.usable_again", seconds=round(time.monotonic() - self._broker_since))
        self._broker = problem

    def record_heartbeat(self) -> None:
        """Store a heartbeat of this process."""
        heartbeat = processes.Heartbeat(self._broker, self._busy(), self._unreadable, self.fault)
        processes.record_heartbeat(self.kind, self.node, heartbeat, database_now())

    def _busy(self) -> timedelta | None:
        """Return for how long all pool processes of the worker have been busy; None if one is idle, or for beat."""
        if self.consumer is None:
            return None
        started = [request.time_start for request in list(state.active_requests) if request.time_start]
        if len(started) < self.consumer.pool.num_processes:
            return None
        return timedelta(seconds=max(0.0, time.time() - max(started)))

    # ---- standstill

    def _monitor_standstill(self) -> None:
        while not shutdown.is_requested():
            time.sleep(STANDSTILL_CHECK_EVERY)
            _run_safely(check_standstill)


def check_standstill() -> None:
    """Announce standstills, delete old heartbeats, and send overdue notifications."""
    now = database_now()
    standstill.announce(now)
    processes.forget_old(now)
    for webhook in delivering.due_webhooks(now - DELIVERY_OVERDUE):
        delivering.deliver(webhook, now)


def worker_guard(consumer: Any) -> Guard:
    """Return the guard of this worker.

    Args:
        consumer: The Celery consumer.

    Returns:
        The guard. It is not started yet.
    """
    return Guard(Process.Kind.WORKER, consumer.hostname, consumer)


def beat_guard() -> Guard:
    """Return the guard of this beat process.

    Returns:
        The guard. It is not started yet.
    """
    return Guard(Process.Kind.BEAT, f"beat@{socket.gethostname()}")


def _fault_of_machine() -> ProcessFault | None:
    """Test whether this process can write a file and open a socket. Return the fault if it cannot."""
    try:
        with tempfile.TemporaryFile() as file, socket.socket():
            file.write(b"x")
            file.flush()
    except OSError as error:
        return own_fault(error)
    return None


def _run_safely(step: Callable[[], None]) -> None:
    """Run a step of the guard. Errors do not propagate, so that the loop of the guard continues.

    Database errors are not logged here, because the syncs and pages log them.
    """
    try:
        step()
    except DatabaseError:
        pass
    except Exception as error:  # noqa: BLE001  # the guard must continue after any error
        log.error("guard.failed", error=type(error).__name__)
    finally:
        with suppress(DatabaseError):
            connection.close()
