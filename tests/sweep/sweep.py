"""Sweep one regular expression with many texts, and return the texts for which its time grows faster than linearly."""

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
"""Number of failures after which the sweep of an expression or place ends, because further ones often have the same cause."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A measurement that failed: the name of the expression or place, a description of the text, and the growth."""

    name: str
    given: str
    growth: Growth

    def __str__(self) -> str:
        growth = self.growth
        times = "too long" if growth.times == float("inf") else f"{growth.times:.1f} times that for twice as many"
        return f"{self.name}: {growth.seconds:.2f} s for {growth.chars:,} characters, {times}: {self.given}"


def sweep_expression(expression: Expression) -> list[Failure]:
    """Return the failures of one expression, for each method that the product calls on it."""
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
    """Measure the growth. For an expression with a bound, measure only whether it is fast enough at its bound."""
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
