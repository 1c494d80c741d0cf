"""How often something is let pass, at most. Pure; seconds, by a clock that is passed in and that may be turned."""

from __future__ import annotations

import time
from collections.abc import Callable


class Debounce:
    """Once in so many seconds, in this process."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._last: float | None = None

    def lets_pass(self) -> bool:
        now = self._clock()
        if self._last is not None and 0 <= now - self._last < self._seconds:
            return False
        self._last = now
        return True
