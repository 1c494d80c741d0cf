"""How the CPU time of a call grows with its input: linear growth passes, anything faster fails.

CPU seconds and the best of three are measured, so a machine that others use as well is no obstacle.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any

SHORTEST_RUN = 0.05
"""CPU seconds that the shorter input takes at least: below that, constant costs hide the growth."""
MOST_GROWTH = 2.6
"""Times the CPU seconds for an input of twice the length. Linear is 2, n·log n a little more, quadratic 4."""
LEAST_REPEATS, LEAST_CHARS = 8_192, 131_072
HARMLESS_RUN = 0.01
"""CPU seconds. An input of `LEAST_REPEATS` repeats that takes less has no quadratic part: 34 million steps of half a
nanosecond would take longer."""
LONGEST = 4_000_000
"""Characters. What is below `SHORTEST_RUN` with so many passes."""
GIVEN_UP = 10.0
"""CPU seconds after which a single call counts as endless."""
_FIRST, _STEP, _TIMES = 512, 5, 3


@dataclass(frozen=True, slots=True)
class Growth:
    """The result for one kind of input: how long a call took for `chars` characters, and how much longer for twice as many."""

    chars: int
    seconds: float
    times: float
    """How many times longer twice the input takes; 0 if it was too quick to be worth measuring, infinity if given up."""

    @property
    def fails(self) -> bool:
        return self.times > MOST_GROWTH


class TooLong(BaseException):
    """A call was ended. Not an `Exception`, so that no code under test takes it for an error of its own."""


def growth(call: Callable[[Any], object], text: Callable[[int], Any], unit: int, longest: int = LONGEST) -> Growth:
    """Measure `call(text(repeats))`. `unit` is the length of one repeat in characters, `longest` the most characters.

    A failure is measured twice more before it is believed.
    """
    return _confirmed(lambda: _growth(call, text, max(1, unit), longest))


def growth_at_last(call: Callable[[Any], object], text: Callable[[int], Any], unit: int, longest: int) -> Growth:
    """The same from half of `longest` to `longest`: what grows faster only up to some bound passes if it is quick enough."""
    repeats = max(1, longest // 2 // max(1, unit))

    def measure() -> Growth:
        once = cpu_seconds(call, text(repeats))
        if once is None:
            return Growth(repeats * unit, GIVEN_UP, float("inf"))
        return _doubled(call, text, repeats, unit, max(once, SHORTEST_RUN))

    return _confirmed(measure)


def _confirmed(measure: Callable[[], Growth]) -> Growth:
    result = measure()
    for _ in range(_TIMES - 1):
        if not result.fails:
            break
        result = measure()
    return result


def _growth(call: Callable[[Any], object], text: Callable[[int], Any], unit: int, longest: int) -> Growth:
    most = max(1, longest // unit)
    harmless = min(most, max(LEAST_REPEATS, LEAST_CHARS // unit))
    repeats = min(most, max(8, _FIRST // unit))
    while True:
        seconds = cpu_seconds(call, text(repeats))
        if seconds is None:
            return Growth(repeats * unit, GIVEN_UP, float("inf"))
        if seconds >= SHORTEST_RUN:
            return _doubled(call, text, repeats, unit, seconds)
        if repeats >= most or (repeats >= harmless and seconds < HARMLESS_RUN):
            return Growth(repeats * unit, seconds, 0)
        following = repeats * min(_STEP, max(1.3, 1.2 * SHORTEST_RUN / max(seconds, 1e-6)))
        repeats = min(most, harmless if repeats < harmless < following else int(following))


def _doubled(call: Callable[[Any], object], text: Callable[[int], Any], repeats: int, unit: int, once: float) -> Growth:
    """Compare with twice the input: once, and if that looks wrong, the best of three of both."""
    short, long = text(repeats), text(2 * repeats)
    first = cpu_seconds(call, long)
    if first is not None and first / once > MOST_GROWTH:
        runs = [(cpu_seconds(call, short), cpu_seconds(call, long)) for _ in range(_TIMES - 1)]
        once = min([once, *(seconds for seconds, _ in runs if seconds is not None)])
        first = min([first, *(seconds for _, seconds in runs if seconds is not None)])
    return Growth(repeats * unit, once, float("inf") if first is None else first / once)


def cpu_seconds(call: Callable[[Any], object], given: Any) -> float | None:
    """CPU seconds of one call; None if it was ended after `GIVEN_UP`. An error of the call counts as its end."""
    try:
        with _ended_after(GIVEN_UP):
            start = time.process_time()
            with suppress(Exception):  # whatever it thinks of such a text, only its time counts here
                call(given)
            return time.process_time() - start
    except TooLong:
        return None


@contextmanager
def _ended_after(seconds: float) -> Iterator[None]:
    """Raise `TooLong` in the block after so many CPU seconds: `re` looks for signals while it searches."""

    def end(signum: int, frame: FrameType | None) -> None:
        raise TooLong

    before = signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
