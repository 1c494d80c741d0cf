"""Two faults of the conversion, which `tests.faults.poisoned_worker` adds to a worker.

The emails that caused such faults in the past can be converted now. So this module simulates two future faults: the
conversion of a marked email does not end, or recurses without end.
"""

from __future__ import annotations

from typing import Any

from tests.conversion.deadline.slow import MARK as ENDLESS
from tests.conversion.deadline.slow import planted

RECURSES = "recurses"
"""If the subject of an email contains this word, its conversion recurses without end."""


def _recurse(depth: int = 0) -> int:
    return _recurse(depth + 1) + 1


def _recursing(clean: Any) -> Any:
    def deep(sections: Any, subject: str, *given: Any) -> Any:
        if RECURSES in subject:
            _recurse()
        return clean(sections, subject, *given)

    return deep


def poisoned(clean: Any) -> Any:
    """Wrap `conversion.transform.clean`, so that it has both faults."""
    return _recursing(planted(clean))


__all__ = ["ENDLESS", "RECURSES", "poisoned"]
