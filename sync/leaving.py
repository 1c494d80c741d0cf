"""Whether this worker was told to leave: told to the process that has the signal, seen by those that it forked.

A sync then ends between two batches, as at the end of its slice, and whoever is there next goes on. Pure but for one byte.
"""

from __future__ import annotations

import mmap

_told = mmap.mmap(-1, 1)
"""Shared with every process that is forked later."""


def tell(**_: object) -> None:
    """A receiver of Celery's `worker_shutting_down`, which comes with SIGTERM."""
    _told[0] = 1


def is_told() -> bool:
    return _told[0] == 1
