"""The child process: converts what comes over a socket, one email after the other, until its parent closes it.

It holds no secret, opens nothing, and cannot take more CPU time and memory than its limits: that also ends C code, which no
timer interrupts.
"""

from __future__ import annotations

import math
import resource
import sys
from dataclasses import dataclass
from multiprocessing.connection import Connection

from conversion.deadline.in_process import Outcome, convert_here
from conversion.deadline.timer import ConversionDeadline
from conversion.limits import Limits
from conversion.transform import EmailLocation
from integrations.messages import Email

GRACE = 2
"""Seconds of CPU time after the deadline in which Python can still be interrupted and say so."""
MEMORY = 2 * 1024**3
"""Bytes of address space."""


@dataclass(frozen=True, slots=True)
class Work:
    """One email to convert."""

    email: Email
    place: EmailLocation
    limits: Limits
    deadline: ConversionDeadline


def main() -> None:
    """Serve the socket whose number is the first argument."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _lower(resource.RLIMIT_AS, MEMORY)
    with Connection(int(sys.argv[1])) as connection:
        while True:
            try:
                work: Work = connection.recv()
            except EOFError:
                return
            connection.send(_outcome(work))


def _outcome(work: Work) -> Outcome:
    used = resource.getrusage(resource.RUSAGE_SELF)
    _lower(resource.RLIMIT_CPU, math.ceil(used.ru_utime + used.ru_stime + work.deadline.cpu) + GRACE)
    return convert_here(work.email, work.place, work.limits, work.deadline)


def _lower(what: int, most: int) -> None:
    """Set the soft limit, within the hard one."""
    _, hard = resource.getrlimit(what)
    resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


if __name__ == "__main__":
    main()
