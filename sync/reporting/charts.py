"""The geometry of a bar chart: values in, shapes out. Pure; `components/chart.html` puts them on the page.

The y axis points down, as in SVG. Texts stand beside the drawing, in HTML, so that it can be stretched to any width.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 240.0, 100.0
GAP = 0.25
"""Part of a bar's place that stays free."""
LEAST = 1.0
"""What there is at all can be seen, however small it is beside the rest."""

COUNT_TOPS = (4, 10, 20, 40, 60, 80)
SECONDS_TOPS = (
    10, 20, 30, 60, 120, 240, 600, 1200, 1800, 3600, 7200, 14_400, 28_800, 43_200,
    86_400, 2 * 86_400, 4 * 86_400, 10 * 86_400, 20 * 86_400, 60 * 86_400,
)  # fmt: skip
"""Ends of a scale whose half is a round time, too."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of a chart."""

    x: float
    y: float
    width: float
    height: float


def stacked(series: Sequence[Sequence[float]], top: float) -> list[list[Box]]:
    """The bars of each series, those of the second standing upon those of the first. A value of 0 has none."""
    if not series:
        return []
    step = WIDTH / len(series[0]) if series[0] else WIDTH
    floors = [HEIGHT] * len(series[0])
    return [_bars(values, floors, step, top) for values in series]


def _bars(values: Sequence[float], floors: list[float], step: float, top: float) -> list[Box]:
    bars = []
    for place, value in enumerate(values):
        if value <= 0:
            continue
        height = min(max(HEIGHT * value / top, LEAST), floors[place])
        floors[place] -= height
        bars.append(_box(step * (place + GAP / 2), floors[place], step * (1 - GAP), height))
    return bars


def places(count: int) -> list[Box]:
    """The whole height above each value: where a pointer asks what it is."""
    step = WIDTH / max(count, 1)
    return [_box(step * place, 0.0, step, HEIGHT) for place in range(count)]


def outline(boxes: Iterable[Box]) -> str:
    """All of these rectangles as the data of one SVG path."""
    return "".join(f"M{box.x:g} {box.y:g}h{box.width:g}v{box.height:g}h{-box.width:g}z" for box in boxes)


def count_top(highest: float) -> int:
    """Where a scale of counts ends: the least of 4, 10, 20, 40, 60, 80, 100, 200, … that holds the highest."""
    factor = 1
    while COUNT_TOPS[-1] * factor < highest:
        factor *= 10
    # 4 is there once: from the second round on, 40 has taken its place.
    return next(top * factor for top in COUNT_TOPS[factor > 1 :] if top * factor >= highest)


def seconds_top(highest: float) -> int:
    """Where a scale of times ends; beyond two months in steps of two months."""
    for top in SECONDS_TOPS:
        if top >= highest:
            return top
    longest = SECONDS_TOPS[-1]
    return longest * -int(-highest // longest)


def _box(x: float, y: float, width: float, height: float) -> Box:
    return Box(round(x, 2), round(y, 2), round(width, 2), round(height, 2))
