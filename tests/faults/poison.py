"""Two kinds of poison for the conversion, which `tests.faults.poisoned_worker` plants.

The emails of earlier faults convert today. So this does what the next one would do: the conversion of marked emails does not
end, or recurses without end.
"""

from __future__ import annotations

from typing import Any

from tests.conversion.deadline.slow import MARK as ENDLESS
from tests.conversion.deadline.slow import planted

RECURSES = "recurses"
"""What the subject of an email holds whose conversion recurses without end."""


def _recurse(depth: int = 0) -> int:
    return _recurse(depth + 1) + 1


def _recursing(clean: Any) -> Any:
    def deep(sections: Any, subject: str, *given: Any) -> Any:
        if RECURSES in subject:
            _recurse()
        return clean(sections, subject, *given)

    return deep


def poisoned(clean: Any) -> Any:
    """`conversion.transform.clean` with both kinds of poison in it."""
    return _recursing(planted(clean))


__all__ = ["ENDLESS", "RECURSES", "poisoned"]
