"""The end of a worker that was told to leave (SIGTERM), within ten seconds whatever it is doing.

A sync ends by itself at its next batch (`sync.jobs.shutdown`). What still works after `GRACE` seconds is ended: the
processes of the pool by SIGKILL, which loses nothing (intentions are written before each push, checkpoints after it),
and their mailboxes are handed back, so that the next worker goes on at once and no email is blamed. A worker without
such processes (pool `solo`) breaks its sync off by an exception. What even that does not reach, as C code that holds
the interpreter, ends with the process.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import threading
import time
from contextlib import suppress
from typing import Any

import structlog
from django.db import DatabaseError, connection

from sync.jobs import outcome, processes, shutdown
from sync.models import SyncRun
from sync.store.lease import Clock, database_now

log = structlog.get_logger(__name__)

GRACE = 7.0
"""Seconds that a sync has to end by itself."""
AT_LATEST = 9.5
"""Seconds after which the process is gone."""
SOON = 0.5
"""Seconds that Celery has to end in order after its pool has."""


def begin(pool: Any) -> None:
    """To be called in the signal handler of the main process. `pool`: Celery's, or None before it was ready."""
    # A thread in C that needs no interpreter. It would print where all threads are; there is nobody to read it.
    faulthandler.dump_traceback_later(AT_LATEST, exit=True, file=open(os.devnull, "w"))  # noqa: SIM115  # until the end
    if pool is None:
        return
    if pool.uses_semaphore:  # it has processes of its own
        threading.Thread(target=_end_pool, args=[pool], daemon=True, name="departure").start()
    else:
        shutdown.break_off_in(GRACE)


def _end_pool(pool: Any) -> None:
    time.sleep(GRACE)
    log.warning("worker.ends_its_tasks")
    for pid in pool.info["processes"]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    conclude()
    time.sleep(SOON)
    # Celery may wait for ever for the answer of a process that is gone.
    os._exit(0)


def conclude(clock: Clock = database_now) -> int:
    """When nothing of this worker works any more: hand back the mailboxes that it had in hand, and sign off. How many they
    were; none where the database does not answer: then their leases run out by themselves."""
    with suppress(DatabaseError):
        mine = SyncRun.objects.filter(outcome=SyncRun.Outcome.RUNNING, worker__startswith=processes.name_of(""))
        rows = list(mine.select_related("mailbox__integration", "mailbox__bucket__destination"))
        for run in rows:
            outcome.hand_back(run, clock())
        processes.sign_off()
        connection.close()
        return len(rows)
    return 0
