"""The Celery application of a worker with two kinds of poison: `celery -A tests.faults.poisoned_worker worker`.

To be imported by that worker alone, since importing it plants the poison. The rest of the worker is the product's.
"""

from __future__ import annotations

from config.celery import app
from conversion import transform
from tests.faults.poison import poisoned

transform.clean = poisoned(transform.clean)

__all__ = ["app"]
