"""Let something pass at most once in a number of seconds. Pure; the clock is passed in and may be set back."""

from __future__ import annotations

import time
from collections.abc import Callable


class Debounce:
    """Lets one call pass per interval, in this process.

    Args:
        seconds: Length of the interval in seconds.
        clock: Returns seconds.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._last: float | None = None

    def lets_pass(self) -> bool:
        """Return whether the interval since the last call that passed is over."""
        now = self._clock()
        if self._last is not None and 0 <= now - self._last < self._seconds:
            return False
        self._last = now
        return True
