"""A day, a week, a month in the steps of a chart."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from sync.reporting.spans import Span, parse_span, place_of, steps

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 29, 14, 20, tzinfo=UTC)
"""The day on which the clocks of Berlin went forward."""


@pytest.mark.parametrize(("span", "count"), [(Span.DAY, 24), (Span.WEEK, 28), (Span.MONTH, 30)])
@pytest.mark.parametrize("zone", [UTC, BERLIN, ZoneInfo("Asia/Kolkata")], ids=str)
def test_steps_follow_each_other_without_a_gap_and_hold_now(span, count, zone):
    found = steps(span, NOW, zone)
    assert len(found) == count
    assert all(one.end == next_one.start for one, next_one in pairwise(found))
    assert place_of(NOW, found) is not None


def test_a_day_ends_with_the_hour_that_is_now():
    found = steps(Span.DAY, NOW, UTC)
    assert (found[0].start, found[-1].end) == (datetime(2026, 3, 28, 15, tzinfo=UTC), NOW.replace(hour=15, minute=0))


def test_the_night_in_which_clocks_change_is_a_shorter_step():
    lengths = [step.end - step.start for step in steps(Span.WEEK, NOW, BERLIN)]
    assert lengths.count(timedelta(hours=5)) == 1
    assert steps(Span.MONTH, NOW, BERLIN)[-1].end - steps(Span.MONTH, NOW, BERLIN)[-1].start == timedelta(hours=23)


def test_what_lies_outside_has_no_place():
    found = steps(Span.DAY, NOW, UTC)
    assert place_of(found[0].start - timedelta(seconds=1), found) is None
    assert place_of(found[-1].end, found) is None
    assert place_of(found[1].start, found) == 1


def test_whatever_is_asked_for_it_is_one_of_the_three():
    assert [parse_span(text) for text in ("week", "month", "year", "", None)] == [
        Span.WEEK, Span.MONTH, Span.DAY, Span.DAY, Span.DAY,
    ]  # fmt: skip
