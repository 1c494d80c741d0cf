"""Whether this worker can do its work: how many tasks ended with a fault of its own.

Told by the processes of its pool, seen by the main process, which then stops consuming (`config.process_guard`). Pure but for
some bytes.
"""

from __future__ import annotations

import mmap

ENOUGH = 2
"""Tasks that ended so: after them, this worker takes no more."""

_KIND = 64
_shared = mmap.mmap(-1, 2 + _KIND)
"""How many such tasks there were, whether this worker takes no mailboxes, and the kind of the last fault. Shared with every
process that is forked later."""


def note_fault(kind: str) -> None:
    """A task ended with a fault of this process, of this kind."""
    _shared[2:] = kind.encode()[:_KIND].ljust(_KIND)
    _shared[0] = min(_shared[0] + 1, 255)


def last_fault() -> str:
    """The kind of the last of these faults."""
    return _shared[2:].strip(b"\0 ").decode()


def has_failed() -> bool:
    """Whether enough tasks ended so since this worker was last found fit."""
    return _shared[0] >= ENOUGH


def takes_none() -> bool:
    """Whether this worker was found unfit: what it still gets from the queue goes back at once."""
    return _shared[1] == 1


def take_none() -> None:
    _shared[1] = 1


def take_again() -> None:
    _shared[0] = _shared[1] = 0
