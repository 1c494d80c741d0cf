"""The steps of a chart divide a day, a week or a month without gaps."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from sync.reporting.spans import Span, parse_span, step_index, steps

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 29, 14, 20, tzinfo=UTC)
"""A time on the day on which daylight saving time began in Berlin."""


@pytest.mark.parametrize(("span", "count"), [(Span.DAY, 24), (Span.WEEK, 28), (Span.MONTH, 30)])
@pytest.mark.parametrize("zone", [UTC, BERLIN, ZoneInfo("Asia/Kolkata")], ids=str)
def test_steps_have_no_gap_and_contain_the_current_time(span, count, zone):
    found = steps(span, NOW, zone)
    assert len(found) == count
    assert all(one.end == next_one.start for one, next_one in pairwise(found))
    assert step_index(NOW, found) is not None


def test_a_day_ends_with_the_current_hour():
    found = steps(Span.DAY, NOW, UTC)
    assert (found[0].start, found[-1].end) == (datetime(2026, 3, 28, 15, tzinfo=UTC), NOW.replace(hour=15, minute=0))


def test_a_daylight_saving_change_makes_a_step_shorter():
    lengths = [step.end - step.start for step in steps(Span.WEEK, NOW, BERLIN)]
    assert lengths.count(timedelta(hours=5)) == 1
    assert steps(Span.MONTH, NOW, BERLIN)[-1].end - steps(Span.MONTH, NOW, BERLIN)[-1].start == timedelta(hours=23)


def test_a_time_outside_of_all_steps_has_no_index():
    found = steps(Span.DAY, NOW, UTC)
    assert step_index(found[0].start - timedelta(seconds=1), found) is None
    assert step_index(found[-1].end, found) is None
    assert step_index(found[1].start, found) == 1


def test_an_unknown_span_falls_back_to_a_day():
    assert [parse_span(text) for text in ("week", "month", "year", "", None)] == [
        Span.WEEK, Span.MONTH, Span.DAY, Span.DAY, Span.DAY,
    ]  # fmt: skip
