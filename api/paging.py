"""Long lists page by page, by a cursor: as fast on the last page as on the first, and nothing is told twice."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

MOST = 1000


class Pages(CursorPagination):
    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = MOST
    ordering = "-pk"

    def get_page_size(self, request: Request) -> int:
        texts = request.query_params.getlist("page_size")
        if not texts:
            return self.page_size
        text = texts[-1]
        if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:9]) <= MOST:
            raise ValidationError({"page_size": f"It must be a whole number from 1 to {MOST}."})
        return int(text)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        size = {"type": "integer", "minimum": 1, "maximum": MOST, "default": self.page_size}
        return [
            {"name": "cursor", "in": "query", "required": False, "schema": {"type": "string"}},
            {"name": "page_size", "in": "query", "required": False, "schema": size},
        ]
