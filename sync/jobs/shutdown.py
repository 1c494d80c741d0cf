"""Record whether the shutdown of this worker was requested, and interrupt its sync.

The process that receives the signal records the request; the processes that it forked read it from shared memory.

After the request, a sync takes no further email of its current batch, pushes the comments of the emails that it has
converted, and ends. Another worker continues with the mailbox. A sync that does not end in time is interrupted
(`sync.jobs.worker_exit`). This module does no I/O except for one byte of shared memory and a signal.
"""

from __future__ import annotations

import mmap
import signal
from collections.abc import Iterator
from contextlib import contextmanager

_requested = mmap.mmap(-1, 1)
"""Shared with every process that is forked later."""
_interruptible: set[str] = set()
"""Not empty while a sync of this process may be interrupted."""
RETRY_INTERVAL = 0.5
"""Seconds between two interruptions, because a library may catch and discard the first one."""


class SyncInterrupted(SystemExit):
    """Raised to interrupt the current sync.

    This class is derived from `SystemExit`, because most libraries do not catch `SystemExit`.
    """


def request(**_: object) -> None:
    """Request the shutdown; a receiver of Celery's `worker_shutting_down`, which is sent at SIGTERM.

    Args:
        **_: Arguments of the signal, which are not used.
    """
    _requested[0] = 1


def is_requested() -> bool:
    """Return whether the shutdown was requested."""
    return _requested[0] == 1


@contextmanager
def interruptible() -> Iterator[None]:
    """Allow `interrupt_after` to raise `SyncInterrupted` at any line of the `with` block.

    Yields:
        Nothing.
    """
    _interruptible.add("sync")
    try:
        yield
    finally:
        _interruptible.clear()


def interrupt_after(seconds: float) -> None:
    """After a delay, interrupt the sync that this process is running, repeatedly until the sync has ended.

    This function is for a worker that syncs in its main thread, and must be called in the main thread. It uses
    `signal.setitimer(ITIMER_REAL)`, and a later call of `setitimer` replaces the timer.

    Args:
        seconds: Seconds until the interruption.
    """
    signal.signal(signal.SIGALRM, _interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds, RETRY_INTERVAL)


def _interrupt(number: int, frame: object) -> None:
    if _interruptible:
        raise SyncInterrupted
