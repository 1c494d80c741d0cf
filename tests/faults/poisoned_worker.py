"""The Celery application of a worker with two faults of the conversion: `celery -A tests.faults.poisoned_worker worker`.

Only that worker may import this module, because the import adds the faults. Everything else is the code of the product.
"""

from __future__ import annotations

from config.celery import app
from conversion import cleaning, transform
from tests.faults.poison import poisoned

transform.clean = poisoned(cleaning.clean)  # type: ignore[attr-defined]  # where `transform` imported it

__all__ = ["app"]
