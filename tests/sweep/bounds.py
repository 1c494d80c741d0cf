"""Expressions that need more than linear time, and why no text is long enough for that to matter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class Bound:
    """The most characters that an expression is ever given, and the CPU seconds that one use of it may take then."""

    chars: int
    seconds: float
    why: str


BOUNDS = {
    # Some of the routes are those of Django's admin.
    "*.urlpatterns…*": Bound(
        4_094, 0.2, "the path of a request, whose first line gunicorn bounds (limit_request_line)"
    ),
    "integrations.ews.offers.QUOTED": Bound(
        2_048, 0.05, "a line of WWW-Authenticate, of which no more is read (integrations.ews.offers.LONGEST)"
    ),
}
"""By the name of the expression, as the sweep prints it; `*` stands for anything."""


def bound_of(name: str) -> Bound | None:
    """The bound of the expression with this name."""
    return next((bound for wanted, bound in BOUNDS.items() if fnmatchcase(name, wanted)), None)


def stale(names: Iterable[str]) -> list[str]:
    """The entries of the table that no expression has any more."""
    there = list(names)
    return [wanted for wanted in BOUNDS if not any(fnmatchcase(name, wanted) for name in there)]
