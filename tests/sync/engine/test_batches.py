"""Batches bounded by count and by bytes."""

from hypothesis import given
from hypothesis import strategies as st

from sync.engine.batches import batches


def cut(sizes, **bounds):
    return list(batches(sizes, lambda size: size, **({"most": 3, "most_bytes": 10} | bounds)))


def test_a_batch_ends_at_its_count():
    assert cut([1, 1, 1, 1]) == [[1, 1, 1], [1]]


def test_a_batch_ends_at_its_bytes():
    assert cut([4, 6, 1]) == [[4, 6], [1]]


def test_what_is_too_large_goes_alone_and_in_its_place():
    assert cut([1, 7, 1], alone_over=5) == [[1], [7], [1]]
    assert cut([1, 99, 1]) == [[1], [99], [1]]


def test_nothing_gives_no_batch():
    assert cut([]) == []


@given(st.lists(st.integers(0, 20)))
def test_nothing_is_lost_and_nothing_changes_places(sizes):
    assert [size for batch in cut(sizes, alone_over=8) for size in batch] == sizes
