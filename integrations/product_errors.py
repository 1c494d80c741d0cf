"""Recognise faults of this process: it ran out of a resource, or a part of its installation is missing.

Libraries wrap such an exception in one about the connection ("no connection to the server"), so the whole chain of
causes is searched. Only an unambiguous exception counts: a name that does not resolve, for example, can also be a fault
of the network or of the settings.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

from integrations.errors import InstallationIncomplete, OutOfMemory, OutOfResources, ProcessFault

EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT})
"""No file descriptors (of the process, of the machine), no space or no quota on the disk."""


def own_fault(error: BaseException) -> ProcessFault | None:
    """Return the fault of this process that an exception is, or that caused it.

    Args:
        error: Any exception.

    Returns:
        The fault; None where the exception is none of this process.
    """
    if isinstance(error, ImportError | FileNotFoundError):
        # Only the exception itself counts, not a cause: libraries try an optional import or file and continue without.
        return InstallationIncomplete(f"library {error.name}" if isinstance(error, ImportError) else "a file")
    return next((fault for cause in _chain(error) if (fault := _fault(cause)) is not None), None)


def _fault(error: BaseException) -> ProcessFault | None:
    if isinstance(error, ProcessFault):
        return error
    if isinstance(error, MemoryError):
        return OutOfMemory()
    # The error numbers of name resolution have another meaning.
    if not isinstance(error, OSError) or isinstance(error, socket.gaierror | socket.herror):
        return None
    if error.errno == errno.ENOMEM:
        return OutOfMemory()
    return OutOfResources(errno.errorcode[error.errno]) if error.errno in EXHAUSTED else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the exception, its causes, its contexts, and the exceptions that libraries wrapped in it, each once."""
    seen: set[int] = set()
    queue: list[object] = [error]
    while queue:
        found = queue.pop(0)
        if not isinstance(found, BaseException) or id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        # requests and urllib3 pass the wrapped exception as an argument, or as `reason`.
        queue += [found.__cause__, found.__context__, *found.args, getattr(found, "reason", None)]
        if isinstance(found, BaseExceptionGroup):
            queue += found.exceptions
