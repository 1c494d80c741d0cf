"""Which errors are faults of this process: it ran out of something, or lacks a part of itself.

Libraries wrap such an error in one of the connection ("no connection to the server"), so the whole chain of causes is
looked at. Only what says it with certainty counts: an address that does not resolve, for example, may be anybody's fault.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

from integrations.errors import InstallationIncomplete, OutOfMemory, OutOfResources, ProcessFault

EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT})
"""No descriptors (of the process, of the machine), no space or no quota on the disk."""


def own_fault(error: BaseException) -> ProcessFault | None:
    """The fault of this process that is this error or lies behind it; None when there is none."""
    if isinstance(error, ImportError | FileNotFoundError):
        # Not where it lies behind another error: libraries try what may be missing, and go on without it.
        return InstallationIncomplete(f"library {error.name}" if isinstance(error, ImportError) else "a file")
    return next((fault for one in _chain(error) if (fault := _fault(one)) is not None), None)


def _fault(error: BaseException) -> ProcessFault | None:
    if isinstance(error, ProcessFault):
        return error
    if isinstance(error, MemoryError):
        return OutOfMemory()
    # The numbers of errors of name resolution have another meaning.
    if not isinstance(error, OSError) or isinstance(error, socket.gaierror | socket.herror):
        return None
    if error.errno == errno.ENOMEM:
        return OutOfMemory()
    return OutOfResources(errno.errorcode[error.errno]) if error.errno in EXHAUSTED else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, what caused it, and what was being handled when it was raised, however libraries wrap one in another."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        # requests and urllib3 hand on what they wrap as an argument, or as a reason.
        waiting += [one.__cause__, one.__context__, *one.args, getattr(one, "reason", None)]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
