"""Wrappers of ports that end the worker before or after a certain call, as `kill -9` would."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


class Died(BaseException):
    """Simulates the death of the worker. The product must not catch this exception, or release or store anything after it."""


def _raise(where: str) -> None:
    raise Died(where)


class Reaper:
    """Counts the calls of all wrapped ports, and ends the worker at one call.

    Args:
        at: Number (from 0) of that call, or the name of the calls at which the worker ends; None for no call.
        after: Whether the worker ends after the call instead of before it.
        die: Called at that call, to end the worker or to do something else. By default it raises `Died`.
    """

    def __init__(
        self, at: int | str | None = None, *, after: bool = False, die: Callable[[str], None] | None = None
    ) -> None:
        self.at = at
        self.after = after
        self.die = die or _raise
        self.calls: list[str] = []

    def wrap(self, port: str, target: Any) -> Any:
        return Deadly(port, target, self)

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
    """A wrapped port. The reaper counts every method call and every step of an iterator."""

    def __init__(self, port: str, target: Any, reaper: Reaper) -> None:
        self._port, self._target, self._reaper = port, target, reaper

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        if not callable(value):
            return value

        def call(*given: Any, **named: Any) -> Any:
            result = self._reaper.call(f"{self._port}.{name}", lambda: value(*given, **named))
            return self._steps(name, result) if isinstance(result, Iterator) else result

        return call

    def __enter__(self) -> Deadly:
        return self

    def __exit__(self, *exc: object) -> None:
        self._target.close()

    def _steps(self, name: str, steps: Iterator[Any]) -> Iterator[Any]:
        while True:
            step = self._reaper.call(f"{self._port}.{name}:next", lambda: next(steps, StopIteration))
            if step is StopIteration:
                return
            yield step


class Kills:
    """A source with one item that ends the worker when it is fetched."""

    def __init__(self, it, deadly) -> None:
        self.target, self.deadly = it, deadly

    def __getattr__(self, name):
        return getattr(self.target, name)

    def fetch(self, changes):
        if self.deadly in {change.item_id for change in changes}:
            raise Died
        return self.target.fetch(changes)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.target.close()
