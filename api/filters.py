"""What a list can be filtered by: declared in the view, checked, and told in the schema."""

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
    if not text.isascii() or not text.isdecimal() or int(text[:30]) > LARGEST:
        raise ValueError("a whole number")
    return int(text)


def flag(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError("true or false")
    return text == "true"


def words(text: str) -> str:
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
    """By `view.filters`: the name of a parameter → (look-up of the database, reader of its text)."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
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
        return [
            {"name": name, "in": "query", "required": False, "schema": SCHEMAS[reader]}
            for name, (_, reader) in self._filters(view).items()
        ]

    def _filters(self, view: Any) -> Mapping[str, Filter]:
        found: Mapping[str, Filter] = getattr(view, "filters", {})
        return found


def parameter(name: str, text: str, kind: type = str) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.QUERY, description=text)
