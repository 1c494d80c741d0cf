"""The Celery application of a worker with two kinds of poison: `celery -A tests.faults.poison worker`.

The emails of earlier faults convert today. So this plants what the next one would do: the conversion of marked emails does not
end, or recurses without end. The rest of the worker is the product's.
"""

from __future__ import annotations

from typing import Any

from config.celery import app
from sync import transform
from tests.unit.conversion.slow import MARK as ENDLESS
from tests.unit.conversion.slow import planted

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


transform.clean = _recursing(planted(transform.clean))

__all__ = ["ENDLESS", "RECURSES", "app"]
