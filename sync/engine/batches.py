"""Batches bounded by count and by bytes, so that memory stays flat however large a single email is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def batches(
    items: Iterable[T], size: Callable[[T], int], *, most: int, most_bytes: int, alone_over: int | None = None
) -> Iterator[list[T]]:
    """Cut `items` into lists of at most `most` items and `most_bytes` bytes; what is larger than a bound goes alone.

    `alone_over`: from this size on an item shares its batch with nobody.
    """
    batch: list[T] = []
    held = 0
    for item in items:
        weight = size(item)
        alone = alone_over is not None and weight > alone_over
        if batch and (alone or len(batch) >= most or held + weight > most_bytes):
            yield batch
            batch, held = [], 0
        batch.append(item)
        held += weight
        if alone:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch
