"""Find an error class by its kind."""

from __future__ import annotations

from collections.abc import Iterator

from integrations.errors import base, exchange, graph, product, reinfer, sign_in
from integrations.errors.base import IntegrationError

_MODULES = (base, sign_in, exchange, graph, reinfer, product)


def all_errors() -> Iterator[type[IntegrationError]]:
    """Yield each error class of this package that defines a kind, beginning with `IntegrationError`."""
    for module in _MODULES:
        for member in tuple(vars(module).values()):
            if isinstance(member, type) and issubclass(member, IntegrationError):
                defined_here = member.__module__ == module.__name__
                if defined_here and "kind" in vars(member):
                    yield member


def error_of(kind: str) -> type[IntegrationError] | None:
    """Return the error class of a kind.

    Args:
        kind: The stable name of an error.

    Returns:
        The class; None where no error has this kind.
    """
    return next((error for error in all_errors() if error.kind == kind), None)


def sentence(kind: str, detail: str) -> str:
    """Return the text of an error from its stored kind and detail.

    Args:
        kind: The stable name of an error; may be blank or unknown.
        detail: The stored `IntegrationError.detail`.

    Returns:
        The same text as `str(error)`; the detail alone where the kind is unknown.
    """
    error = error_of(kind)
    return str(error(detail)) if error else detail
