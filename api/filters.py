"""The filters of lists: declared in the view, checked, and described in the schema."""

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


def number(text: str) -> int:
    """Read a whole number that the database can store.

    Args:
        text: The text of the query parameter.

    Returns:
        The value.

    Raises:
        ValueError: The text is no such number.
    """
    if not text.isascii() or not text.isdecimal() or int(text[:30]) > LARGEST:
        raise ValueError("a whole number")
    return int(text)


def flag(text: str) -> bool:
    """Read `true` or `false`.

    Args:
        text: The text of the query parameter.

    Returns:
        The value.

    Raises:
        ValueError: The text is neither.
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
    words: {"type": "string"},
    moment: {"type": "string", "format": "date-time"},
}
Filter = tuple[str, Callable[[str], Any]]


class Declared(BaseFilterBackend):
    """Filter by `view.filters`: the name of a parameter, with a field lookup and the function that reads its text."""

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
        wanted: dict[str, Any] = {}
        for name, (lookup, reader) in self._filters(view).items():
            text = request.query_params.get(name)
            if text is not None and (text or reader is not words):
                try:
                    wanted[lookup] = reader(text)
                except ValueError as error:
                    raise ValidationError({name: f"It must be {error}."}) from None
        return queryset.filter(**wanted)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Return the parameters for the schema.

        Args:
            view: The view, with its `filters`.

        Returns:
            One parameter of OpenAPI for each filter.
        """
        return [
            {"name": name, "in": "query", "required": False, "schema": SCHEMAS[reader]}
            for name, (_, reader) in self._filters(view).items()
        ]

    def _filters(self, view: Any) -> Mapping[str, Filter]:
        found: Mapping[str, Filter] = getattr(view, "filters", {})
        return found


def parameter(name: str, text: str, kind: type = str) -> OpenApiParameter:
    """Return a query parameter for the schema.

    Args:
        name: Its name.
        text: Its description.
        kind: Its type.

    Returns:
        The parameter.
    """
    return OpenApiParameter(name, kind, OpenApiParameter.QUERY, description=text)
