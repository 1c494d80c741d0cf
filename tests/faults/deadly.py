"""Ports that end the worker: at the n-th call of any port, before it or after it, as `kill -9` would."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


class Died(BaseException):
    """The worker is gone: nothing of ours may catch this, release anything, or write anything down."""


def _raise(where: str) -> None:
    raise Died(where)


class Reaper:
    """Counts the calls that go through it, and ends the worker at the one it was told: by its number, or by its name."""

    def __init__(
        self, at: int | str | None = None, *, after: bool = False, die: Callable[[str], None] | None = None
    ) -> None:
        self.at = at
        self.after = after
        self.die = die or _raise
        self.calls: list[str] = []

    def wrap(self, port: str, it: Any) -> Any:
        return Deadly(port, it, self)

    def call(self, name: str, do: Any) -> Any:
        number = len(self.calls)
        self.calls.append(name)
        fatal = self.at in (number, name)
        if fatal and not self.after:
            self.die(f"before {name}")
        result = do()
        if fatal and self.after:
            self.die(f"after {name}")
        return result


class Deadly:
    """Stands before a port. Every method call, and every step of an iterator, goes through the reaper."""

    def __init__(self, port: str, it: Any, reaper: Reaper) -> None:
        self._port, self._it, self._reaper = port, it, reaper

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._it, name)
        if not callable(value):
            return value

        def call(*given: Any, **named: Any) -> Any:
            result = self._reaper.call(f"{self._port}.{name}", lambda: value(*given, **named))
            return self._steps(name, result) if isinstance(result, Iterator) else result

        return call

    def __enter__(self) -> Deadly:
        return self

    def __exit__(self, *exc: object) -> None:
        self._it.close()

    def _steps(self, name: str, steps: Iterator[Any]) -> Iterator[Any]:
        while True:
            step = self._reaper.call(f"{self._port}.{name}:next", lambda: next(steps, StopIteration))
            if step is StopIteration:
                return
            yield step


class Kills:
    """A source over one email of which the worker dies."""

    def __init__(self, it, deadly) -> None:
        self.it, self.deadly = it, deadly

    def __getattr__(self, name):
        return getattr(self.it, name)

    def fetch(self, changes):
        if self.deadly in {change.item_id for change in changes}:
            raise Died
        return self.it.fetch(changes)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.it.close()
