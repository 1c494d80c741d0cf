"""Measure how the CPU time of a call grows with the length of its input. Linear growth passes, faster growth fails.

If the growth seems too fast, the smallest CPU time of three calls counts, so that other processes hardly change the result.
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
"""Minimum CPU time of the shorter input, in seconds. With a shorter time, constant costs would hide the growth."""
MAX_GROWTH = 2.6
"""Maximum ratio of the CPU time of an input to the CPU time of half the input.

The ratio of linear time is 2. The ratio of n·log n is a little more, and the ratio of quadratic time is 4.
"""
LEAST_REPEATS, LEAST_CHARS = 8_192, 131_072
"""Minimum numbers of repeats and characters of an input that can count as harmless."""
HARMLESS_RUN = 0.01
"""CPU time in seconds. If an input of `LEAST_REPEATS` repeats takes less time, the growth is not quadratic: 34 million steps of
half a nanosecond would take longer."""
LONGEST = 4_000_000
"""Maximum number of characters. A call that takes less than `SHORTEST_RUN` for such an input passes."""
GIVEN_UP = 10.0
"""CPU time in seconds after which a call is ended and counts as endless."""
_FIRST, _STEP, _TIMES = 512, 5, 3


@dataclass(frozen=True, slots=True)
class Growth:
    """The result for one kind of input: the CPU time for `chars` characters, and the ratio for twice as many characters."""

    chars: int
    seconds: float
    times: float
    """CPU time for twice the input, divided by `seconds`. 0 if the calls were too fast to measure, infinity if a call was
    ended."""

    @property
    def fails(self) -> bool:
        return self.times > MAX_GROWTH


class TooLong(BaseException):
    """The time limit of a call was exceeded. Not an `Exception`, so that the tested code does not catch it."""


def growth(call: Callable[[Any], object], text: Callable[[int], Any], unit: int, longest: int = LONGEST) -> Growth:
    """Measure `call(text(repeats))`. A failure counts only if two more measurements also fail.

    Args:
        call: The function to measure.
        text: Function that returns the input with this number of repeats.
        unit: Length of one repeat in characters.
        longest: Maximum number of characters of the shorter input.

    Returns:
        The growth.
    """
    return _confirmed(lambda: _growth(call, text, max(1, unit), longest))


def growth_at_last(call: Callable[[Any], object], text: Callable[[int], Any], unit: int, longest: int) -> Growth:
    """Compare only an input of half of `longest` with an input of `longest`.

    So a call passes if its time grows faster than linearly only for shorter inputs.
    """
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
    """Compare with an input of twice the length. If the ratio is too large, compare the shortest times of three calls."""
    short, long = text(repeats), text(2 * repeats)
    first = cpu_seconds(call, long)
    if first is not None and first / once > MAX_GROWTH:
        runs = [(cpu_seconds(call, short), cpu_seconds(call, long)) for _ in range(_TIMES - 1)]
        once = min([once, *(seconds for seconds, _ in runs if seconds is not None)])
        first = min([first, *(seconds for _, seconds in runs if seconds is not None)])
    return Growth(repeats * unit, once, float("inf") if first is None else first / once)


def cpu_seconds(call: Callable[[Any], object], given: Any) -> float | None:
    """Return the CPU time of one call in seconds; None if the call was ended after `GIVEN_UP`. The call may raise an error."""
    try:
        with _ended_after(GIVEN_UP):
            start = time.process_time()
            with suppress(Exception):  # only the time matters, not the result
                call(given)
            return time.process_time() - start
    except TooLong:
        return None


@contextmanager
def _ended_after(seconds: float) -> Iterator[None]:
    """Raise `TooLong` in the block after this CPU time. This also ends a regular expression: `re` checks for signals."""

    def end(signum: int, frame: FrameType | None) -> None:
        raise TooLong

    before = signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
