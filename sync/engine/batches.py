"""Batches with a maximum count and size, so that memory use does not grow with the number of items."""

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
        most: Maximum number of items in a batch.
        most_bytes: Maximum size of a batch of several items, in bytes.
        alone_over: An item that is larger than this many bytes gets a batch of its own. None: no such limit.

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
