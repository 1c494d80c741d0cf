"""The response time of Exchange and the length of a slice in a seed.

In one of three seeds, a pass over the folders of a mailbox can take several slices.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.sync.world import Clock


@dataclass(frozen=True)
class Pace:
    """Length of a slice, and response time of Exchange, both in seconds."""

    slice: float = 120
    answer: float = 0
    folders: int = 0
    """Number of additional folders of each mailbox."""

    @classmethod
    def drawn(cls, number: int) -> Pace:
        """Choose the values for a seed, with separate random numbers. So the random numbers of the seed do not change."""
        random = Random(f"pace {number}")
        if number % 3:
            return cls()
        return cls(random.choice([0, 1, 2, 4]), random.choice([0.3, 0.6, 3]), random.randint(3, 8))


class Paced:
    """A source that advances the clock for each response."""

    def __init__(self, source: Any, clock: Clock, seconds: float) -> None:
        self._source, self._clock, self._seconds = source, clock, seconds

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._source, name)
        if name not in ("folders", "changes", "fetch"):
            return value

        def call(*given: Any) -> Any:
            result = value(*given)
            if isinstance(result, Iterator):
                return self._steps(result)
            self._clock.turn(seconds=self._seconds)
            return result

        return call

    def _steps(self, steps: Iterator[Any]) -> Iterator[Any]:
        for step in steps:
            self._clock.turn(seconds=self._seconds)
            yield step
