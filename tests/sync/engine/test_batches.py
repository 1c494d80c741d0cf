"""Tests of batches with a maximum number of items and a maximum size."""

from hypothesis import given
from hypothesis import strategies as st

from sync.engine.batches import batches


def cut(sizes, **bounds):
    return list(batches(sizes, lambda size: size, **({"most": 3, "most_bytes": 10} | bounds)))


def test_a_batch_ends_at_the_count_limit():
    assert cut([1, 1, 1, 1]) == [[1, 1, 1], [1]]


def test_a_batch_ends_at_the_byte_limit():
    assert cut([4, 6, 1]) == [[4, 6], [1]]


def test_a_large_item_gets_its_own_batch_in_order():
    assert cut([1, 7, 1], alone_over=5) == [[1], [7], [1]]
    assert cut([1, 99, 1]) == [[1], [99], [1]]


def test_no_items_give_no_batch():
    assert cut([]) == []


@given(st.lists(st.integers(0, 20)))
def test_all_items_stay_in_order(sizes):
    assert [size for batch in cut(sizes, alone_over=8) for size in batch] == sizes
