"""The one way to convert an email: within `CONVERSION_DEADLINE`, whatever the email is and in whatever thread.

In the main thread (a process of Celery's prefork or solo pool, a command) a timer interrupts it in this process. In any other
thread (a web process that serves in threads, Celery's pool of threads), a child process converts it and is terminated.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from django.conf import settings

from conversion.deadline.child_process import ConversionProcess
from conversion.deadline.in_process import Convert, Outcome, convert_here
from conversion.deadline.timer import ConversionDeadline, can_interrupt
from conversion.transform import EmailLocation
from integrations.messages import Email

WALL_FACTOR = 10


@contextmanager
def converter(*, wait: bool = True) -> Iterator[Convert]:
    """Convert several emails one after the other. `wait`: where a child process is needed and too many are at work; else the
    function that is yielded raises `AllPlacesTaken`.

    That function returns a comment or a reason for every email. It raises what ends this process, and `OSError` where no
    child process can be started.
    """
    with ConversionProcess(wait=wait) as apart:
        yield partial(_convert, apart)


def _convert(apart: ConversionProcess, email: Email, place: EmailLocation) -> Outcome:
    if can_interrupt():
        return convert_here(email, place, settings.LIMITS, deadline())
    return apart.convert(email, place, settings.LIMITS, deadline())


def deadline() -> ConversionDeadline:
    """Of one conversion. By the wall clock it ends before the lease of the sync: else the email could not be set aside."""
    cpu = settings.CONVERSION_DEADLINE.total_seconds()
    return ConversionDeadline(cpu, min(WALL_FACTOR * cpu, settings.LEASE.total_seconds() * 5 / 6))
