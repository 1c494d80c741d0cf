"""Filters of lists. A view declares them; this module checks their values and describes them in the OpenAPI schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from api.moments import moment

LARGEST = 2**63 - 1
"""The largest integer that the database can store."""


def number(text: str) -> int:
    """Read a whole number from 0 to `LARGEST`.

    Args:
        text: The text of the query parameter.

    Returns:
        The value.

    Raises:
        ValueError: The text is not a number in this range.
    """
    digits = text.lstrip("0")
    if not text.isascii() or not text.isdecimal() or len(digits) > len(str(LARGEST)) or int(digits or "0") > LARGEST:
        raise ValueError(f"a whole number from 0 to {LARGEST}")
    return int(digits or "0")


def flag(text: str) -> bool:
    """Read `true` or `false`.

    Args:
        text: The text of the query parameter.

    Returns:
        The value.

    Raises:
        ValueError: The text is neither `true` nor `false`.
    """
    if text not in {"true", "false"}:
        raise ValueError("true or false")
    return text == "true"


def words(text: str) -> str:
    """Read a text.

    Args:
        text: The text of the query parameter.

    Returns:
        The value.

    Raises:
        ValueError: The text contains a NUL character.
    """
    if "\0" in text:
        raise ValueError("a text without NUL")
    return text


SCHEMAS: dict[Any, dict[str, Any]] = {
    number: {"type": "integer", "minimum": 0, "maximum": LARGEST},
    flag: {"type": "boolean"},
    words: {"type": "string", "pattern": r"^[^\x00]*$"},
    moment: {"type": "string", "format": "date-time"},
}
Filter = tuple[str, Callable[[str], Any]]


class Declared(BaseFilterBackend):
    """Filter by `view.filters`, a mapping from query parameter to field lookup and parser of the value."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        """Filter a query by the parameters of the request.

        Args:
            request: The request.
            queryset: The query.
            view: The view, with its `filters`.

        Returns:
            The filtered query.

        Raises:
            ValidationError: A parameter has no valid value.
        """
        lookups: dict[str, Any] = {}
        for name, (lookup, reader) in self._filters(view).items():
            text = request.query_params.get(name)
            if text is not None and (text or reader is not words):
                try:
                    lookups[lookup] = reader(text)
                except ValueError as error:
                    raise ValidationError({name: f"It must be {error}."}) from None
        return queryset.filter(**lookups)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Return the query parameters for the OpenAPI schema.

        Args:
            view: The view, with its `filters`.

        Returns:
            One OpenAPI parameter for each filter.
        """
        return [
            {"name": name, "in": "query", "required": False, "schema": SCHEMAS[reader]}
            for name, (_, reader) in self._filters(view).items()
        ]

    def _filters(self, view: Any) -> Mapping[str, Filter]:
        filters: Mapping[str, Filter] = getattr(view, "filters", {})
        return filters


def parameter(name: str, text: str, kind: type = str) -> OpenApiParameter:
    """Return a query parameter for the OpenAPI schema.

    Args:
        name: The name of the parameter.
        text: The description of the parameter.
        kind: The Python type of the parameter.

    Returns:
        The parameter.
    """
    return OpenApiParameter(name, kind, OpenApiParameter.QUERY, description=text)
