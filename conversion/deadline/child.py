"""Child process that converts emails from a socket, one at a time, until the parent closes the socket.

The process has no secrets and opens no connections. The operating system limits its CPU time and memory. The limit of
the CPU time also ends C code, which a timer cannot interrupt.
"""

from __future__ import annotations

import math
import resource
import sys
from dataclasses import dataclass
from multiprocessing.connection import Connection

from conversion.deadline.in_process import Outcome, convert_in_process
from conversion.deadline.timer import ConversionDeadline
from conversion.limits import Limits
from conversion.transform import EmailLocation
from integrations.messages import Email

GRACE = 2
"""Seconds of CPU time after the CPU deadline in which the timer can still interrupt Python and report the deadline."""
MEMORY = 2 * 1024**3
"""Limit of the address space in bytes."""


@dataclass(frozen=True, slots=True)
class Work:
    """One email to convert.

    Attributes:
        email: The email.
        place: Its mailbox and folder.
        limits: The limits of the conversion.
        deadline: The time limits of the conversion.
    """

    email: Email
    place: EmailLocation
    limits: Limits
    deadline: ConversionDeadline


def main() -> None:
    """Serve the socket whose file descriptor is the first command-line argument."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _set_soft_limit(resource.RLIMIT_AS, MEMORY)
    with Connection(int(sys.argv[1])) as connection:
        while True:
            try:
                work: Work = connection.recv()
            except EOFError:
                return
            connection.send(_outcome(work))


def _outcome(work: Work) -> Outcome:
    used = resource.getrusage(resource.RUSAGE_SELF)
    _set_soft_limit(resource.RLIMIT_CPU, math.ceil(used.ru_utime + used.ru_stime + work.deadline.cpu) + GRACE)
    return convert_in_process(work.email, work.place, work.limits, work.deadline)


def _set_soft_limit(resource_id: int, limit: int) -> None:
    """Set the soft limit to `limit`, or to the hard limit if that is lower."""
    _, hard = resource.getrlimit(resource_id)
    resource.setrlimit(resource_id, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


if __name__ == "__main__":
    main()
