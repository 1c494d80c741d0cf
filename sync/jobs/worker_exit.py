"""The shutdown of a worker after SIGTERM. It takes at most ten seconds, even if a sync does not respond.

A sync ends early in its current batch (`sync.jobs.shutdown`). After `GRACE` seconds, the processes of the pool are
killed with SIGKILL. No email is lost, because the ledger is written before each push and the checkpoint after it. The
mailboxes of these processes are released, so that another worker continues at once and the killed attempt does not
count against an email. A worker without child processes (pool `solo`) interrupts its sync with an exception. Code that
the exception cannot interrupt, such as C code that holds the interpreter lock, ends with the process.
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
"""Seconds that a sync has to end."""
AT_LATEST = 9.5
"""Seconds after which the main process exits in any case."""
CELERY_GRACE = 0.5
"""Seconds that Celery has to exit normally after its pool was killed."""


def begin(pool: Any) -> None:
    """Start the shutdown. Call it in the signal handler of the main process.

    Args:
        pool: Celery's pool, or None before the worker was ready.
    """
    # This timer is a C thread that works without the interpreter lock. It also prints stack traces, which are discarded.
    faulthandler.dump_traceback_later(AT_LATEST, exit=True, file=open(os.devnull, "w"))  # noqa: SIM115  # until the end
    if pool is None:
        return
    if pool.uses_semaphore:  # the pool has child processes
        threading.Thread(target=_end_pool, args=[pool], daemon=True, name="shutdown").start()
    else:
        shutdown.interrupt_after(GRACE)


def _end_pool(pool: Any) -> None:
    time.sleep(GRACE)
    log.warning("worker.ends_its_tasks")
    for pid in pool.info["processes"]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    conclude()
    time.sleep(CELERY_GRACE)
    # Celery may wait forever for the result of a process that was killed.
    os._exit(0)


def conclude(clock: Clock = database_now) -> int:
    """Release the mailboxes of this worker, and delete its heartbeat. Call this function after its syncs have ended.

    Args:
        clock: Returns the current time in UTC.

    Returns:
        Number of released mailboxes. 0 when the database does not answer; the leases then expire.
    """
    with suppress(DatabaseError):
        open_runs = SyncRun.objects.filter(outcome=SyncRun.Outcome.RUNNING, worker__startswith=processes.name_of(""))
        runs = list(open_runs.select_related("mailbox__integration", "mailbox__bucket__destination"))
        for run in runs:
            outcome.hand_back(run, clock())
        processes.sign_off()
        connection.close()
        return len(runs)
    return 0
