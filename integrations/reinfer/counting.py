"""Whether the counts in an answer to `sync` account for all that was sent. Pure.

Current deployments count `new`, `updated` and `unchanged`, and split `updated` in two; older ones count these three; the
oldest published description has no counts at all. Each comment of a request is in one of the three, so that their sum is the
number of comments that were taken. The split says nothing more about that, and is not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_EACH_COMMENT_IS_ONE_OF = ("new", "updated", "unchanged")


def count(answer: Mapping[str, Any], name: str) -> int | None:
    """The count of this name; None if the answer has none, or something else than a whole number that is not negative."""
    told = answer.get(name)
    return told if isinstance(told, int) and not isinstance(told, bool) and told >= 0 else None


def accounts_for(answer: Mapping[str, Any], sent: int) -> bool:
    """Whether the answer says of so many comments that they were taken. A count that is left out is taken for nought."""
    told = [count(answer, name) for name in _EACH_COMMENT_IS_ONE_OF if name in answer]
    whole = [number for number in told if number is not None]
    return len(whole) == len(told) and sum(whole) == sent
