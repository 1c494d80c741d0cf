"""One expression, or one place of an email, over all its pumps: what grows faster than its input."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.sweep.bounds import Bound, bound_of
from tests.sweep.expressions import Expression
from tests.sweep.growth import GIVEN_UP, Growth, cpu_seconds, growth
from tests.sweep.pumps import Pump, common, derived

ENOUGH = 3
"""Failures of one expression or place: more would say the same."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What is slow, with which text, and how it grew."""

    name: str
    given: str
    growth: Growth

    def __str__(self) -> str:
        found = self.growth
        times = "too long" if found.times == float("inf") else f"{found.times:.1f} times that for twice as many"
        return f"{self.name}: {found.seconds:.2f} s for {found.chars:,} characters, {times}: {self.given}"


def sweep_expression(expression: Expression) -> list[Failure]:
    """The failures of one expression, by every method that the product uses it with."""
    bound = bound_of(expression.name)
    failures: list[Failure] = []
    for method in sorted(expression.methods):
        use = _use(expression, method)
        for pump in dict.fromkeys((*derived(expression.pattern), *common())):
            result = _growth(use, _text(expression, pump), len(pump.piece), bound)
            if result.fails:
                failures.append(Failure(f"{expression.name} ({method})", str(pump), result))
            if len(failures) >= ENOUGH:
                return failures
    return failures


def _growth(use: Callable[[Any], object], text: Callable[[int], Any], unit: int, bound: Bound | None) -> Growth:
    """How its time grows; for a bounded expression whether it is quick enough at its bound."""
    if bound is None:
        return growth(use, text, unit)
    longest = text(bound.chars // unit)
    runs = [cpu_seconds(use, longest)]
    while (runs[-1] is None or runs[-1] > bound.seconds) and len(runs) < 3:
        runs.append(cpu_seconds(use, longest))
    best = min((seconds for seconds in runs if seconds is not None), default=GIVEN_UP)
    return Growth(bound.chars, best, float("inf") if best > bound.seconds else 0)


def _text(expression: Expression, pump: Pump) -> Callable[[int], Any]:
    if isinstance(expression.pattern.pattern, bytes):
        return lambda repeats: pump.text(repeats).encode()
    return pump.text


def _use(expression: Expression, method: str) -> Callable[[Any], object]:
    pattern = expression.pattern
    if method == "finditer":
        return lambda text: deque(pattern.finditer(text), maxlen=0)
    if method in ("sub", "subn"):
        nothing = b"" if isinstance(pattern.pattern, bytes) else ""
        return lambda text: pattern.sub(nothing, text)
    return getattr(pattern, method)
