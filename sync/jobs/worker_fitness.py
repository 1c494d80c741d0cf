"""Record whether this worker is fit to sync, and count the faults of its processes and its machine.

The processes of the pool count each task that such a fault ended, in shared memory. The main process reads the count.
At `ENOUGH` faults, the main process checks the worker, and an unfit worker stops consuming sync tasks
(`config.process_guard`). This module does no I/O except for the shared memory.
"""

from __future__ import annotations

import mmap

ENOUGH = 2
"""Number of faults from which the main process checks whether the worker is fit."""

_KIND = 64
_shared = mmap.mmap(-1, 2 + _KIND)
"""Byte 0 is the number of faults (at most 255), byte 1 is 1 if the worker is unfit, the other bytes are the kind of the
last fault. Every process that is forked later shares this memory."""


def note_fault(kind: str) -> None:
    """Count a task that a fault of this process or its machine ended.

    Args:
        kind: The kind of the fault.
    """
    _shared[2:] = kind.encode()[:_KIND].ljust(_KIND)
    _shared[0] = min(_shared[0] + 1, 255)


def last_fault() -> str:
    """Return the kind of the last fault."""
    return _shared[2:].strip(b"\0 ").decode()


def has_failed() -> bool:
    """Return whether at least `ENOUGH` faults were counted since the worker was last marked as fit."""
    return _shared[0] >= ENOUGH


def is_unfit() -> bool:
    """Return whether the worker is marked as unfit. An unfit worker at once releases each mailbox that it receives."""
    return _shared[1] == 1


def mark_unfit() -> None:
    """Mark the worker as unfit."""
    _shared[1] = 1


def mark_fit() -> None:
    """Mark the worker as fit, and reset the count."""
    _shared[0] = _shared[1] = 0
