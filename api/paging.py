"""Keyset pagination with cursors: later pages are as fast as the first, and new rows do not shift the pages.

A cursor contains the ordering, and identifies the row directly before or directly after the requested page. It identifies the
row by two values: the value of the ordering field, and the key, which distinguishes rows with the same value. If the value of
the ordering field changes in a row between two requests, the row can be listed twice or not at all.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError as FieldError
from django.db.models import Model, Q
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from api.moments import moment

MOST = 1000
"""Maximum number of rows in a page."""
USUAL = 100
"""Maximum number of rows in a page if the request does not set `page_size`."""
LONGEST = 2000
"""Maximum number of characters in a cursor. Further characters are ignored."""
LARGEST = 2**63 - 1
"""The largest integer that the database can store."""
NO_CURSOR = "The cursor is not valid for this list and ordering. Start again without a cursor."


@dataclass(frozen=True, slots=True)
class PagePosition:
    """The row directly before or directly after a page. The row is not part of the page.

    Attributes:
        value: Value of the ordering field in this row.
        key: Value of the key field in this row.
        back: True if the page ends before this row; False if it begins after this row.
    """

    value: Any
    key: Any
    back: bool


class Pages(BasePagination):
    """The pagination class of the list views.

    `view.key` is the model field of the ordering `id`. `view.orderings` maps the names of the other orderings to model
    fields that are never null.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """Return one page.

        Args:
            queryset: The filtered query.
            request: The request, with `cursor`, `page_size` and `ordering`.
            view: The view.

        Returns:
            The rows of the page.

        Raises:
            ValidationError: A parameter has no valid value.
        """
        self._url = request.build_absolute_uri()
        size = _size(request)
        self._ordering = _ordering(request, view)
        field, down = _names(view)[self._ordering.removeprefix("-")], self._ordering.startswith("-")
        place = self._place(request, queryset.model, field, view.key)
        back = place is not None and place.back
        if place is not None:
            queryset = queryset.filter(_after(field, view.key, place, down=down is not back))
        sign = "-" if down is not back else ""
        rows = list(queryset.order_by(*dict.fromkeys((sign + field, sign + view.key)))[: size + 1])
        more, rows = len(rows) > size, rows[:size]
        if back:
            rows.reverse()
        self._next = self._link(rows[-1:], field, view.key) if more or back else None
        has_previous = more if back else place is not None
        self._previous = self._link(rows[:1], field, view.key, back=True) if has_previous else None
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        """Return the response with one page.

        Args:
            data: The serialized rows.

        Returns:
            The response, with links to the next and the previous page.
        """
        return Response({"next": self._next, "previous": self._previous, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return the OpenAPI schema of a page.

        Args:
            schema: The schema of the rows.

        Returns:
            The schema.
        """
        link = {
            "type": ["string", "null"],
            "format": "uri",
            "description": "The URL of this page; null if there is none.",
        }
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Return the query parameters for the OpenAPI schema.

        Args:
            view: The view.

        Returns:
            The OpenAPI parameters.
        """
        size = {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}
        orderings = [sign + name for name in _names(view) for sign in ("", "-")]
        ordering = {"type": "string", "enum": orderings, "default": view.ordering}
        schemas = {"cursor": {"type": "string", "maxLength": LONGEST}, "page_size": size, "ordering": ordering}
        return [{"name": name, "in": "query", "required": False, "schema": schema} for name, schema in schemas.items()]

    def _place(self, request: Request, model: type[Model], field: str, key: str) -> PagePosition | None:
        text = request.query_params.get("cursor")
        if not text:
            return None
        try:
            ordering, value, own_key, back = json.loads(urlsafe_b64decode(text[:LONGEST].encode("ascii")))
            place = PagePosition(_read(model, field, value), _read(model, key, own_key), back is True)
        except (ValueError, TypeError, RecursionError, FieldError):
            raise ValidationError({"cursor": NO_CURSOR}) from None
        if ordering != self._ordering:
            raise ValidationError({"cursor": NO_CURSOR})
        return place

    def _link(self, rows: Sequence[Model], field: str, key: str, *, back: bool = False) -> str:
        for row in rows:
            text = json.dumps([self._ordering, str(getattr(row, field)), str(getattr(row, key)), back])
            return str(replace_query_param(self._url, "cursor", urlsafe_b64encode(text.encode()).decode()))
        # The page is empty, so there is no row to continue from. The link leads to the first page.
        return str(remove_query_param(self._url, "cursor"))


def _read(model: type[Model], name: str, text: Any) -> Any:
    """Parse the value of a field. Raise ValueError, TypeError or FieldError if the field cannot have the value."""
    field: Any = model._meta.pk if name == "pk" else model._meta.get_field(name)
    value = field.to_python(text)
    if type(text) is not str or "\0" in text or (isinstance(value, int) and not 0 <= value <= LARGEST):
        raise ValueError(name)
    return moment(text) if isinstance(value, datetime) else value


def _after(field: str, key: str, place: PagePosition, *, down: bool) -> Q:
    side = "lt" if down else "gt"
    if field == key:
        return Q(**{f"{key}__{side}": place.key})
    # The second condition implies the first one. The first one is added because the database can use an index for it.
    return Q(**{f"{field}__{side}e": place.value}) & (
        Q(**{f"{field}__{side}": place.value}) | Q(**{f"{key}__{side}": place.key})
    )


def _size(request: Request) -> int:
    text = request.query_params.get("page_size")
    if text is None:
        return USUAL
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:9]) <= MOST:
        raise ValidationError({"page_size": f"It must be a whole number from 1 to {MOST}."})
    return int(text)


def _ordering(request: Request, view: Any) -> str:
    text: str = request.query_params.get("ordering", view.ordering)
    if text.removeprefix("-") not in _names(view):
        raise ValidationError(
            {
                "ordering": f"It must be one of {', '.join(_names(view))}, optionally with a leading - for descending order."
            }
        )
    return text


def _names(view: Any) -> dict[str, str]:
    return {"id": view.key, **view.orderings}
