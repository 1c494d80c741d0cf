"""The Celery application of a worker whose conversion does not end for marked emails: `celery -A tests.faults.spinning worker`.

The conversion of such an email runs a regular expression that takes hours.
"""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings

from config.celery import app
from conversion import transform

MARK = "spins"
"""If the MIME of an email contains this word, its conversion does not end."""
SIGN = "is-spinning"
"""Name of a file in DATA_DIR that is created when this conversion begins."""

_convert = transform.convert


def _spins(email: Any, *given: Any, **named: Any) -> Any:
    if MARK.encode() in email.mime:
        (settings.DATA_DIR / SIGN).touch()
        re.fullmatch(r"(a+)+b", "a" * 64)
    return _convert(email, *given, **named)


transform.convert = _spins

__all__ = ["app"]
