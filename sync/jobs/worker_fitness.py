"""Record whether this worker is fit to sync. It is unfit after several tasks failed by a fault of a process or machine.

The processes of the pool count these faults in shared memory. The main process reads the count, and at `ENOUGH` faults it
stops consuming tasks (`config.process_guard`). This module does no I/O except for the shared memory.
"""

from __future__ import annotations

import mmap

ENOUGH = 2
"""Number of faults after which the worker takes no more mailboxes."""

_KIND = 64
_shared = mmap.mmap(-1, 2 + _KIND)
"""Byte 0 is the number of faults, byte 1 is 1 if the worker is unfit, the other bytes are the kind of the last fault. Every
process that is forked later shares this memory."""


def note_fault(kind: str) -> None:
    """Count a task that ended by a fault of this process or its machine.

    Args:
        kind: The kind of the fault.
    """
    _shared[2:] = kind.encode()[:_KIND].ljust(_KIND)
    _shared[0] = min(_shared[0] + 1, 255)


def last_fault() -> str:
    """Return the kind of the last fault."""
    return _shared[2:].strip(b"\0 ").decode()


def has_failed() -> bool:
    """Return whether `ENOUGH` faults were counted since the worker was last marked as fit."""
    return _shared[0] >= ENOUGH


def is_unfit() -> bool:
    """Return whether the worker is marked as unfit. A mailbox whose task it still receives is released at once."""
    return _shared[1] == 1


def mark_unfit() -> None:
    """Mark the worker as unfit."""
    _shared[1] = 1


def mark_fit() -> None:
    """Mark the worker as fit, and reset the count."""
    _shared[0] = _shared[1] = 0
