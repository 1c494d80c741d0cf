"""The Celery application of a worker with a conversion that never ends: `celery -A tests.faults.spinning worker`.

It stands in for a regular expression that takes hours over one email, as long as no other part of the product ends it.
"""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings

from config.celery import app
from conversion import transform

MARK = "spins"
"""In the Message-ID of an email over which the conversion spins."""
SIGN = "is-spinning"
"""A file in DATA_DIR: it does so now."""

_convert = transform.convert


def _spins(email: Any, *given: Any, **named: Any) -> Any:
    if MARK.encode() in email.mime:
        (settings.DATA_DIR / SIGN).touch()
        re.fullmatch(r"(a+)+b", "a" * 64)
    return _convert(email, *given, **named)


transform.convert = _spins

__all__ = ["app"]
