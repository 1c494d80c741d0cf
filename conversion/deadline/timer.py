"""A deadline for pure Python code, enforced by interval timers in the main thread of the process.

A timer signal only calls the handler. The handler itself checks whether a time limit is reached, and raises
`DeadlineExceeded` only while `_inside` is on the call stack. So a signal that arrives late never interrupts other code.
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
"""The wall-clock time is measured in this number of equal intervals: a signal is sent at the end of each interval. A
suspended process gets only one signal when it resumes, regardless of the length of the suspension. So the suspension does
not count against the email."""
MIN_SECONDS = 0.001
"""Minimum interval of a timer in seconds. An interval of 0 would switch the timer off."""


@dataclass(frozen=True, slots=True)
class ConversionDeadline:
    """Time limits of one conversion.

    Attributes:
        cpu: CPU time in seconds.
        wall: Wall-clock time in seconds.
    """

    cpu: float
    wall: float


class DeadlineExceeded(BaseException):
    """The work was interrupted at its deadline.

    Not a subclass of `Exception`, so that `except Exception` in a library does not catch it.
    """


def can_interrupt() -> bool:
    """Return whether a timer can interrupt the calling thread.

    Python runs signal handlers in the main thread only.
    """
    return threading.current_thread() is threading.main_thread()


def within(deadline: ConversionDeadline, work: Callable[[], T]) -> T:
    """Run a function under a deadline. `can_interrupt()` must be true. Exceptions of the function are propagated.

    Installs handlers for SIGPROF and SIGALRM and leaves them installed: with the default action, a signal that arrives
    later would end the process. While the shutdown of the worker uses the timer of SIGALRM, only the limit of CPU time
    applies. C code that holds the GIL is interrupted only when it returns.

    Args:
        deadline: The time limits.
        work: The function.

    Returns:
        The result of the function.

    Raises:
        DeadlineExceeded: A time limit was reached.
    """
    timers = _DeadlineTimers(deadline)
    try:
        timers.start()
        return _inside(work)
    finally:
        timers.stop()


def _inside(work: Callable[[], T]) -> T:
    """Call the function. The signal handler searches the call stack for this frame."""
    return work()


@dataclass(slots=True)
class _DeadlineTimers:
    deadline: ConversionDeadline
    ends_at: float = 0.0
    ticks: int = 0

    def start(self) -> None:
        self.ends_at = _cpu_seconds() + self.deadline.cpu
        self._install_handler(signal.SIGPROF)
        # Repeat the signal: Python discards an exception that is raised in a destructor.
        signal.setitimer(
            signal.ITIMER_PROF, max(self.deadline.cpu, MIN_SECONDS), max(self.deadline.cpu / TICKS, MIN_SECONDS)
        )
        if signal.getitimer(signal.ITIMER_REAL)[0]:
            # A worker that shuts down uses this timer to abort its sync: see `sync.jobs.shutdown`.
            return
        self._install_handler(signal.SIGALRM)
        tick = max(self.deadline.wall / TICKS, MIN_SECONDS)
        signal.setitimer(signal.ITIMER_REAL, tick, tick)

    def _install_handler(self, number: signal.Signals) -> None:
        signal.signal(number, self.on_signal)
        # Restart interrupted system calls, for libraries that do not retry them.
        signal.siginterrupt(number, False)

    def stop(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        if signal.getsignal(signal.SIGALRM) == self.on_signal:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """Handle both signals: raise `DeadlineExceeded` if a time limit is reached."""
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
    """Return the CPU time (user and system) of this thread; of the process on systems without RUSAGE_THREAD."""
    usage = resource.getrusage(getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF))
    return usage.ru_utime + usage.ru_stime
