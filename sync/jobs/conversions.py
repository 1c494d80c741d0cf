"""Convert emails within `CONVERSION_DEADLINE`, in any thread.

In the main thread (a process of Celery's prefork or solo pool, a command), a timer interrupts the conversion in this
process. In any other thread (a web server with threads, Celery's thread pool), a child process converts the
email, and is terminated at the deadline.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from django.conf import settings

from conversion.deadline.child_process import ConversionProcess
from conversion.deadline.in_process import Convert, Outcome, convert_in_process
from conversion.deadline.timer import ConversionDeadline, can_interrupt
from conversion.transform import EmailLocation
from integrations.messages import Email

WALL_FACTOR = 10
"""The wall-clock limit of a conversion as a multiple of its CPU limit."""


@contextmanager
def converter(*, wait: bool = True) -> Iterator[Convert]:
    """Provide a function that converts several emails one after the other.

    For every email, the function returns a comment, or the reason why there is none. It raises only exceptions that end
    this process (such as `SystemExit`), `OSError` if no child process can be started, and, if `wait` is False,
    `TooManyConversions`.

    Args:
        wait: Whether to wait when a child process is needed and the limit of child processes is reached.

    Yields:
        The function.
    """
    with ConversionProcess(wait=wait) as child:
        yield partial(_convert, child)


def _convert(child: ConversionProcess, email: Email, place: EmailLocation) -> Outcome:
    if can_interrupt():
        return convert_in_process(email, place, settings.LIMITS, deadline())
    return child.convert(email, place, settings.LIMITS, deadline())


def deadline() -> ConversionDeadline:
    """Return the deadline of one conversion.

    The wall-clock limit is at most 5/6 of the lease: after the lease, the sync could not store the dead letter.

    Returns:
        CPU and wall-clock limits in seconds.
    """
    cpu = settings.CONVERSION_DEADLINE.total_seconds()
    return ConversionDeadline(cpu, min(WALL_FACTOR * cpu, settings.LEASE.total_seconds() * 5 / 6))
