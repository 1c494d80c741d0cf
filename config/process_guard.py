"""What each worker and beat does beside its work, in threads of its main process and without the broker: it says that it
lives (`sync.jobs.processes`), stops taking mailboxes while it cannot sync any (`sync.jobs.worker_fitness`), and tells
people when everything stands still (`sync.reporting.standstill`). So whichever process and whichever service fails,
another one is left to tell of it.
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
"""What a worker that is not fit takes nothing from. The ticks, on the other queue, need no secret."""
STEP = 1.0
"""Seconds between two looks at whether the processes of the pool met a fault."""
CHECK_EVERY = 60.0
"""Seconds between two looks at what this process can do."""
LOOK_EVERY = 10.0
"""Seconds between two looks for a standstill."""
NOT_DELIVERED = timedelta(seconds=30)
"""How late a notice must be before it is sent from here, since those whose task it is do not."""


@dataclass(slots=True)
class Guard:
    """Of one process. `consumer`: Celery's, of a worker."""

    kind: str
    node: str
    consumer: Any = None
    fault: str = ""
    """The kind of the fault for which no mailboxes are taken."""
    _unreadable: list[str] = field(default_factory=list)
    _opens_some: bool = True
    _broker: str = ""
    _broker_since: float = 0.0

    def start(self) -> None:
        broker_log.OF_THIS_PROCESS.has_guard = True
        for name, loop in (("guard", self._keep_saying), ("guard-looks", self._keep_looking)):
            threading.Thread(target=loop, daemon=True, name=name).start()

    # ---- what this process says of itself -----------------------------------------------------------------------------

    def _keep_saying(self) -> None:
        checks, says = Debounce(CHECK_EVERY), Debounce(processes.EVERY)
        while not shutdown.is_told():
            is_found_out = worker_fitness.has_failed() and not self.fault
            if checks.lets_pass() or is_found_out:
                _undisturbed(self.check)
            if says.lets_pass() or is_found_out:
                self.ask_broker()
                _undisturbed(self.say)
            time.sleep(STEP)

    def check(self) -> None:
        """Look at what this process can do, and take mailboxes, or none, accordingly."""
        self._unreadable, self._opens_some = processes.unreadable_here()
        fault = self._found()
        if fault and not self.fault:
            worker_fitness.take_none()
            self._queue("cancel_task_queue")
            log.error("worker.takes_no_mailboxes", kind=fault)
        elif self.fault and not fault:
            worker_fitness.take_again()
            self._queue("add_task_queue")
            log.warning("worker.takes_mailboxes_again")
        elif not fault and worker_fitness.has_failed():
            worker_fitness.take_again()
        self.fault = fault

    def _found(self) -> str:
        """The kind of the fault for which this worker should take nothing; empty when there is none."""
        if self._unreadable and not self._opens_some:
            return SecretUnreadable.kind
        if not (self.fault or worker_fitness.has_failed()):
            return ""
        if self._unreadable:
            # Where no other worker opens these either, to take nothing would only keep it from the rest.
            return SecretUnreadable.kind if processes.others_open(self._unreadable, database_now()) else ""
        # It was met by a sync a moment ago: a minute's rest, and then the look at the machine says.
        if not self.fault:
            return worker_fitness.last_fault()
        fault = _of_machine()
        return fault.kind if fault else ""

    def _queue(self, act: str) -> None:
        if self.consumer is not None:
            self.consumer.call_soon(getattr(self.consumer, act), QUEUE)

    def ask_broker(self) -> None:
        """One line when it goes, one when it is back."""
        problem = problem_of_broker()
        if problem and not self._broker:
            self._broker_since = time.monotonic()
            log.error("broker.unusable", problem=problem)
        elif self._broker and not problem:
            log.warning("broker.usable_again", seconds=round(time.monotonic() - self._broker_since))
        self._broker = problem

    def say(self) -> None:
        word = processes.Word(self._broker, self._busy(), self._unreadable, self.fault)
        processes.say(self.kind, self.node, word, database_now())

    def _busy(self) -> timedelta | None:
        if self.consumer is None:
            return None
        begun = [request.time_start for request in list(state.active_requests) if request.time_start]
        if len(begun) < self.consumer.pool.num_processes:
            return None
        return timedelta(seconds=max(0.0, time.time() - max(begun)))

    # ---- what all of them do ------------------------------------------------------------------------------------------

    def _keep_looking(self) -> None:
        while not shutdown.is_told():
            time.sleep(LOOK_EVERY)
            _undisturbed(look)


def look() -> None:
    """Tell of a standstill, and send the notices that nobody else sends."""
    now = database_now()
    standstill.announce(now)
    processes.forget_old(now)
    for webhook in delivering.due_webhooks(now - NOT_DELIVERED):
        delivering.deliver(webhook, now)


def of_worker(consumer: Any) -> Guard:
    return Guard(Process.Kind.WORKER, consumer.hostname, consumer)


def of_beat() -> Guard:
    return Guard(Process.Kind.BEAT, f"beat@{socket.gethostname()}")


def _of_machine() -> ProcessFault | None:
    """Whether files can be opened and written, and connections made, here and now."""
    try:
        with tempfile.TemporaryFile() as file, socket.socket():
            file.write(b"x")
            file.flush()
    except OSError as error:
        return own_fault(error)
    return None


def _undisturbed(act: Callable[[], None]) -> None:
    """The next time is soon. A database that is away is told by whoever has a sync or a page to do."""
    try:
        act()
    except DatabaseError:
        pass
    except Exception as error:  # noqa: BLE001  # the guard goes on, whatever it meets
        log.error("guard.failed", error=type(error).__name__)
    finally:
        with suppress(DatabaseError):
            connection.close()
