"""The latency of a new email: the time from its arrival in Exchange until Re:infer acknowledged its comment. Pure.

Mail that arrived before the last completed sync is not measured: a first sync, a wider filter or a moved folder delivers
emails that are years old.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Latency:
    """Measures the latency of one mailbox.

    Attributes:
        since: An email that arrived at this time or later is new. None if no sync has finished: then no email is new.
        clock: Returns the present time.
    """

    since: datetime | None
    clock: Callable[[], datetime]

    def longest(self, arrivals: Iterable[datetime | None]) -> int | None:
        """Return the longest latency of new emails whose comments were just acknowledged.

        Args:
            arrivals: When the emails arrived.

        Returns:
            Whole seconds; None when no email is new; 0 when the clock of Exchange is ahead.
        """
        if self.since is None:
            return None
        new = [arrived for arrived in arrivals if arrived is not None and arrived >= self.since]
        return max(0, int((self.clock() - min(new)).total_seconds())) if new else None


def no_latency(arrivals: Iterable[datetime | None]) -> int | None:
    """Measure nothing.

    Args:
        arrivals: When the emails arrived.

    Returns:
        None.
    """
    return None


def longer(one: int | None, other: int | None) -> int | None:
    """Return the longer of two latencies.

    Args:
        one: Seconds, or None.
        other: Seconds, or None.

    Returns:
        Seconds; None when both are None.
    """
    return max((wait for wait in (one, other) if wait is not None), default=None)
