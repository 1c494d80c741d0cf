"""Whether this worker was told to leave: told to the process that has the signal, seen by those that it forked.

A sync then ends between two batches, as at the end of its slice, and whoever is there next goes on. One that does not come
to such a place in time is broken off (`sync.jobs.worker_exit`). Pure but for one byte and a signal.
"""

from __future__ import annotations

import mmap
import signal
from collections.abc import Iterator
from contextlib import contextmanager

_told = mmap.mmap(-1, 1)
"""Shared with every process that is forked later."""
_breakable: set[str] = set()
"""Not empty while a sync of this process may be broken off."""
AGAIN = 0.5
"""Seconds between two tries: a library may have swallowed the first one."""


class BrokenOff(SystemExit):
    """The sync in hand ends here and now. A SystemExit, which libraries let pass as they do when a process ends."""


def tell(**_: object) -> None:
    """A receiver of Celery's `worker_shutting_down`, which comes with SIGTERM."""
    _told[0] = 1


def is_told() -> bool:
    return _told[0] == 1


@contextmanager
def breakable() -> Iterator[None]:
    """What is done within may end with `BrokenOff` at any line."""
    _breakable.add("sync")
    try:
        yield
    finally:
        _breakable.clear()


def break_off_in(seconds: float) -> None:
    """Break off the sync that this process has in hand then. For a worker that syncs in its main thread: call it there.

    The timer is the one of `signal.setitimer(ITIMER_REAL)`; whoever sets it later takes it away."""
    signal.signal(signal.SIGALRM, _break_off)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)


def _break_off(number: int, frame: object) -> None:
    if _breakable:
        raise BrokenOff
