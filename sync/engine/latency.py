"""How long a new email waited: from its arrival in Exchange until Re:infer had acknowledged its comment.

Mail that was there before the mailbox was last in sync is no measure of it: a first sync, a filter that was widened or a
moved folder brings emails that are years old. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Latency:
    """`since`: what arrived later is new; None as long as the mailbox was never in sync, and then nothing is."""

    since: datetime | None
    clock: Callable[[], datetime]

    def longest(self, arrivals: Iterable[datetime | None]) -> int | None:
        """In whole seconds, of those that are new; None when none is. A clock of Exchange that is ahead counts as 0."""
        if self.since is None:
            return None
        new = [arrived for arrived in arrivals if arrived is not None and arrived >= self.since]
        return max(0, int((self.clock() - min(new)).total_seconds())) if new else None


def nobody_waits(arrivals: Iterable[datetime | None]) -> int | None:
    return None


def longer(one: int | None, other: int | None) -> int | None:
    """The longer of two waits that may not have been."""
    return max((wait for wait in (one, other) if wait is not None), default=None)
