"""Bars, hover areas and scales of bar charts are computed from the values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.reporting.charts import HEIGHT, WIDTH, Box, count_top, outline, places, seconds_top, stacked

counts = st.lists(st.integers(0, 10**7), min_size=1, max_size=60)


def test_the_height_of_a_bar_is_proportional_to_its_value():
    (bars,) = stacked([[0, 5, 10]], top=20)
    assert bars == [Box(90.0, 75.0, 60.0, 25.0), Box(170.0, 50.0, 60.0, 50.0)]


def test_the_second_series_is_stacked_on_the_first():
    first, second = stacked([[10], [5]], top=20)
    assert (first[0].y, first[0].height) == (50.0, 50.0)
    assert (second[0].y, second[0].height) == (25.0, 25.0)


def test_a_tiny_value_has_a_visible_bar():
    (bars,) = stacked([[1, 100_000]], top=100_000)
    assert bars[0].height == 1.0


def test_a_chart_without_values_has_no_bars():
    assert stacked([], top=4) == []
    assert stacked([[]], top=4) == [[]]
    assert stacked([[0, 0]], top=4) == [[]]
    assert places(0) == []


@given(counts, st.data())
def test_no_bar_ever_leaves_the_drawing(new, data):
    updated = data.draw(st.lists(st.integers(0, 10**7), min_size=len(new), max_size=len(new)))
    top = count_top(max(a + b for a, b in zip(new, updated, strict=True)))
    for bars in stacked([new, updated], top):
        for bar in bars:
            assert 0 <= bar.x <= bar.x + bar.width <= WIDTH + 0.01
            assert -0.01 <= bar.y <= bar.y + bar.height <= HEIGHT + 0.02


@given(st.integers(1, 60))
def test_the_hover_areas_cover_the_whole_width(count):
    found = places(count)
    assert (len(found), found[0].x) == (count, 0)
    assert found[-1].x + found[-1].width == pytest.approx(WIDTH, abs=0.02)


def test_rectangles_become_the_data_of_one_path():
    assert outline([Box(1, 2, 3, 4), Box(5.5, 0, 1, 100)]) == "M1 2h3v4h-3zM5.5 0h1v100h-1z"


@pytest.mark.parametrize(
    ("highest", "top"),
    [(0, 4), (4, 4), (5, 10), (11, 20), (81, 100), (100, 100), (101, 200), (1916, 2000), (8001, 10_000)],
)
def test_a_scale_of_counts_ends_at_an_even_round_number(highest, top):
    assert count_top(highest) == top
    assert top % 2 == 0


@given(st.integers(0, 10**9))
def test_a_scale_of_counts_contains_the_highest_value_and_is_not_mostly_empty(highest):
    assert highest <= count_top(highest) <= max(4, 2.5 * highest)


@pytest.mark.parametrize(
    ("highest", "top"), [(0, 10), (65, 120), (3600, 3600), (3601, 7200), (61 * 86_400, 120 * 86_400)]
)
def test_a_scale_of_times_ends_at_a_round_time(highest, top):
    assert seconds_top(highest) == top
