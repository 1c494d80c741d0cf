"""Compute the geometry of a bar chart from its values. Pure functions; `components/chart.html` renders the result.

Coordinates are those of the SVG view box: the y axis points down. Texts are placed beside the drawing in HTML, so that
the drawing can be stretched to any width.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 240.0, 100.0
GAP = 0.25
"""The share of the width of a bar's slot that stays empty."""
LEAST = 1.0
"""The minimum height of a bar, so that every value above 0 is visible."""

COUNT_TOPS = (4, 10, 20, 40, 60, 80)
SECONDS_TOPS = (
    10, 20, 30, 60, 120, 240, 600, 1200, 1800, 3600, 7200, 14_400, 28_800, 43_200,
    86_400, 2 * 86_400, 4 * 86_400, 10 * 86_400, 20 * 86_400, 60 * 86_400,
)  # fmt: skip
"""Upper ends of a time scale in seconds. Half of each is a round time, too."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of a chart, in units of the view box."""

    x: float
    y: float
    width: float
    height: float


def stacked(series: Sequence[Sequence[float]], top: float) -> list[list[Box]]:
    """Return the bars of stacked series. A value of 0 has no bar.

    Args:
        series: The values of each series, all of the same length. The first series is at the bottom.
        top: The value at the upper end of the scale.

    Returns:
        The bars of each series.
    """
    if not series:
        return []
    step = WIDTH / len(series[0]) if series[0] else WIDTH
    bases = [HEIGHT] * len(series[0])
    return [_bars(values, bases, step, top) for values in series]


def _bars(values: Sequence[float], bases: list[float], step: float, top: float) -> list[Box]:
    bars = []
    for index, value in enumerate(values):
        if value <= 0:
            continue
        height = min(max(HEIGHT * value / top, LEAST), bases[index])
        bases[index] -= height
        bars.append(_box(step * (index + GAP / 2), bases[index], step * (1 - GAP), height))
    return bars


def places(count: int) -> list[Box]:
    """Return the hover area of each value: its slot in full height.

    Args:
        count: Number of values.

    Returns:
        One rectangle for each value.
    """
    step = WIDTH / max(count, 1)
    return [_box(step * index, 0.0, step, HEIGHT) for index in range(count)]


def outline(boxes: Iterable[Box]) -> str:
    """Return rectangles as the `d` attribute of one SVG path.

    Args:
        boxes: The rectangles.

    Returns:
        The path data.
    """
    return "".join(f"M{box.x:g} {box.y:g}h{box.width:g}v{box.height:g}h{-box.width:g}z" for box in boxes)


def count_top(highest: float) -> int:
    """Return the upper end of a scale of counts: the smallest round number that is not less than the highest value.

    The round numbers are 4, and 10, 20, 40, 60 and 80 times a power of ten.

    Args:
        highest: The highest value.

    Returns:
        The end of the scale.
    """
    factor = 1
    while COUNT_TOPS[-1] * factor < highest:
        factor *= 10
    # 4 is used only with the factor 1: 4 * 10 is 40, which is in the list, too.
    return next(top * factor for top in COUNT_TOPS[factor > 1 :] if top * factor >= highest)


def seconds_top(highest: float) -> int:
    """Return the upper end of a scale of times. Beyond 60 days the end is a multiple of 60 days.

    Args:
        highest: The highest value, in seconds.

    Returns:
        The end of the scale, in seconds.
    """
    for top in SECONDS_TOPS:
        if top >= highest:
            return top
    longest = SECONDS_TOPS[-1]
    return longest * -int(-highest // longest)


def _box(x: float, y: float, width: float, height: float) -> Box:
    return Box(round(x, 2), round(y, 2), round(width, 2), round(height, 2))
