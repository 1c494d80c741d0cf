"""Recognise faults of this process: it ran out of a resource, or a part of its installation is missing.

Libraries wrap these exceptions in connection errors ("no connection to the server"), so the whole chain of causes is
searched. Only an unambiguous exception counts: a name that does not resolve, for example, can also be a fault
of the network or of the settings.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

from integrations.errors import InstallationIncomplete, OutOfMemory, OutOfResources, ProcessFault

EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT})
"""Error numbers for exhausted file descriptors (of the process, of the machine), disk space and disk quota."""


def own_fault(error: BaseException) -> ProcessFault | None:
    """Return the fault of this process that an exception or one of its causes shows.

    Args:
        error: Any exception.

    Returns:
        The fault; None if the exception is no fault of this process.
    """
    if isinstance(error, ImportError | FileNotFoundError):
        # Only the exception itself counts, not a cause: libraries try an optional import or file, and continue without it.
        return InstallationIncomplete(f"library {error.name}" if isinstance(error, ImportError) else "a file")
    return next((fault for cause in _chain(error) if (fault := _fault(cause)) is not None), None)


def _fault(error: BaseException) -> ProcessFault | None:
    if isinstance(error, ProcessFault):
        return error
    if isinstance(error, MemoryError):
        return OutOfMemory()
    # In errors of name resolution, the numbers have another meaning.
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
        current = queue.pop(0)
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        # requests and urllib3 pass the wrapped exception as an argument, or as `reason`.
        queue += [current.__cause__, current.__context__, *current.args, getattr(current, "reason", None)]
        if isinstance(current, BaseExceptionGroup):
            queue += current.exceptions
