"""A debounce: allow an action at most once per interval. No I/O; the clock is a parameter and may be set back."""

from __future__ import annotations

import time
from collections.abc import Callable


class Debounce:
    """Allows one action per interval, in this process.

    Args:
        seconds: Length of the interval in seconds.
        clock: Returns the current time in seconds.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._last: float | None = None

    def lets_pass(self) -> bool:
        """Return whether the action is allowed now. If it is, a new interval begins.

        The action is allowed if the interval since the last allowed action is over, or if the clock was set back.
        """
        now = self._clock()
        if self._last is not None and 0 <= now - self._last < self._seconds:
            return False
        self._last = now
        return True
