"""Read the counts in a response of the `sync` endpoint, and check whether they cover the whole request. No I/O.

Current deployments of Re:infer return the counts `new`, `updated` and `unchanged`, and two further counts into which
`updated` is split. Older deployments return only `new`, `updated` and `unchanged`, and the oldest published API
description has no counts. Each comment of a request is counted in exactly one of these three counts, so their
sum is the number of accepted comments. The two further counts are not part of the sum.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_EXCLUSIVE_COUNTS = ("new", "updated", "unchanged")


def count(envelope: Mapping[str, Any], name: str) -> int | None:
    """Return one count of a response.

    Args:
        envelope: JSON object of the response.
        name: Key of the count.

    Returns:
        The count. None where it is missing, or is not a whole number of zero or more.
    """
    value = envelope.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def accounts_for(envelope: Mapping[str, Any], sent: int) -> bool:
    """Return whether the counts cover every comment of the request.

    Args:
        envelope: JSON object of the response. A missing count is zero.
        sent: Number of comments in the request.

    Returns:
        True where the sum of the counts equals `sent`. False where a count is invalid.
    """
    counts = [count(envelope, name) for name in _EXCLUSIVE_COUNTS if name in envelope]
    valid = [number for number in counts if number is not None]
    return len(valid) == len(counts) and sum(valid) == sent
