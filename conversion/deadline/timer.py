"""A deadline for pure Python code, enforced by an interval timer in the main thread of this process.

The timers only wake the handler. The handler decides by the clocks, and raises only while the code of `_inside` runs. So a
signal that arrives late, whenever that is, interrupts nothing else.
"""

from __future__ import annotations

import resource
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import TypeVar

T = TypeVar("T")
TICKS = 10
"""Wall-clock time is counted in so many ticks. A process that is stopped gets one tick when it goes on, however long it was
stopped, so an email is not blamed for that time."""
LEAST = 0.001
"""Seconds. A timer of 0 would be off."""


@dataclass(frozen=True, slots=True)
class ConversionDeadline:
    """How long a conversion may take, in seconds."""

    cpu: float
    wall: float


class DeadlineExceeded(BaseException):
    """The work was interrupted at its deadline. Not an `Exception`: no `except Exception` of a library may swallow it."""


def can_interrupt() -> bool:
    """Whether a timer can interrupt the calling thread: Python runs signal handlers in the main thread only."""
    return threading.current_thread() is threading.main_thread()


def within(deadline: ConversionDeadline, work: Callable[[], T]) -> T:
    """What `work` returns. Raises `DeadlineExceeded` at the deadline, and whatever `work` raises.

    Only where `can_interrupt`. Takes SIGPROF and SIGALRM of this process for itself and keeps their handlers: a signal that
    arrives later then does nothing, where the default action would end the process. C code that holds the interpreter is
    interrupted when it returns.
    """
    watch = _ConversionWatch(deadline)
    try:
        watch.start()
        return _inside(work)
    finally:
        watch.stop()


def _inside(work: Callable[[], T]) -> T:
    """The handler looks for this frame."""
    return work()


@dataclass(slots=True)
class _ConversionWatch:
    deadline: ConversionDeadline
    ends_at: float = 0.0
    ticks: int = 0

    def start(self) -> None:
        self.ends_at = _cpu_seconds() + self.deadline.cpu
        self._handle(signal.SIGPROF)
        # Again and again: an exception that is raised within a destructor is swallowed by Python.
        signal.setitimer(signal.ITIMER_PROF, max(self.deadline.cpu, LEAST), max(self.deadline.cpu / TICKS, LEAST))
        if signal.getitimer(signal.ITIMER_REAL)[0]:
            return  # a worker that was told to leave breaks off its sync by this timer: see `sync.jobs.shutdown`
        self._handle(signal.SIGALRM)
        tick = max(self.deadline.wall / TICKS, LEAST)
        signal.setitimer(signal.ITIMER_REAL, tick, tick)

    def _handle(self, number: signal.Signals) -> None:
        signal.signal(number, self.look)
        # A system call of a library that does not try again by itself goes on.
        signal.siginterrupt(number, False)

    def stop(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        if signal.getsignal(signal.SIGALRM) == self.look:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def look(self, number: int, frame: FrameType | None) -> None:
        """The handler of both signals."""
        if number == signal.SIGALRM:
            self.ticks += 1
        if (self.ticks >= TICKS or _cpu_seconds() >= self.ends_at) and _is_inside(frame):
            raise DeadlineExceeded


def _is_inside(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code is _inside.__code__:
            return True
        frame = frame.f_back
    return False


def _cpu_seconds() -> float:
    """CPU time of this thread, in user and system mode; where the system cannot tell, of the process."""
    usage = resource.getrusage(getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF))
    return usage.ru_utime + usage.ru_stime
