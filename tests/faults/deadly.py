"""Wrappers of ports (source, sink, ledger, checkpoints) that end the worker before or after a certain call, like `kill -9`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


class Died(BaseException):
    """Simulates the death of the worker. The product must not catch it, and must not release or store anything after it."""


def _raise(where: str) -> None:
    raise Died(where)


class Reaper:
    """Counts the calls of all wrapped ports, and calls `die` at the selected call.

    Args:
        at: Number (from 0) of the selected call, or the name of the selected calls; None for no call.
        after: Whether `die` is called after the selected call instead of before it.
        die: The function to call: it ends the worker or does something else. The default raises `Died`.
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
    """A source with one item. A fetch of this item ends the worker."""

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
