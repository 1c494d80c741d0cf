"""Batches bounded by count and bytes, so that memory use stays constant however large a single email is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def batches(
    items: Iterable[T], size: Callable[[T], int], *, most: int, most_bytes: int, alone_over: int | None = None
) -> Iterator[list[T]]:
    """Cut items into batches. An item that is larger than a limit gets a batch of its own.

    Args:
        items: The items.
        size: Returns the size of an item, in bytes.
        most: The largest number of items in a batch.
        most_bytes: The largest size of a batch, in bytes.
        alone_over: An item that is larger than this many bytes gets a batch of its own.

    Yields:
        The batches, in the order of the items.
    """
    batch: list[T] = []
    batch_bytes = 0
    for item in items:
        item_bytes = size(item)
        alone = alone_over is not None and item_bytes > alone_over
        if batch and (alone or len(batch) >= most or batch_bytes + item_bytes > most_bytes):
            yield batch
            batch, batch_bytes = [], 0
        batch.append(item)
        batch_bytes += item_bytes
        if alone:
            yield batch
            batch, batch_bytes = [], 0
    if batch:
        yield batch
