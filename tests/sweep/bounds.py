"""Expressions that take more than linear time, but are used only with short texts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class Bound:
    """The limits of one expression.

    Attributes:
        chars: Maximum number of characters of a text for which the product uses the expression.
        seconds: Maximum CPU time of one use with a text of this length.
        why: The code that limits the text.
    """

    chars: int
    seconds: float
    why: str


BOUNDS = {
    # The expressions of URL routes. Some of the routes belong to Django's admin.
    "*.urlpatterns…*": Bound(
        4_094, 0.2, "gunicorn limits the first line of a request, and so the path (limit_request_line)"
    ),
    "integrations.ews.offers.QUOTED": Bound(
        2_048, 0.05, "only the start of a WWW-Authenticate header is parsed (integrations.ews.offers.LONGEST)"
    ),
}
"""The bounds by the name of the expression, as the sweep prints it. `*` matches any text."""


def bound_of(name: str) -> Bound | None:
    """Return the bound of the expression with this name; None if the expression has no bound."""
    return next((bound for pattern, bound in BOUNDS.items() if fnmatchcase(name, pattern)), None)


def stale(names: Iterable[str]) -> list[str]:
    """Return the keys of `BOUNDS` that match none of these names."""
    existing = list(names)
    return [pattern for pattern in BOUNDS if not any(fnmatchcase(name, pattern) for name in existing)]
