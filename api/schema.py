"""The OpenAPI schema. An operation is named after its HTTP method and view, and its tag is the first part of the path."""

from __future__ import annotations

import re
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse

from api.serializers.strict import Strict


class Schema(AutoSchema):
    """Generates the schema of one view."""

    def get_operation_id(self) -> str:
        """Return the HTTP method and the name of the view in snake case."""
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(self.view).__name__).lower()
        return f"{self.method.lower()}_{words}"

    def get_tags(self) -> list[str]:
        """Return one tag: the first part of the path below /api/v1/."""
        return [self.path.removeprefix("/api/v1/").split("/")[0]]

    def _is_list_view(self, serializer: Any = None) -> bool:
        # drf-spectacular recognizes a list only if it gets a serializer. Our views declare an OpenApiResponse that
        # contains the serializer.
        responses = serializer if serializer is not None else self.get_response_serializers()
        if isinstance(responses, dict):
            responses = {
                key: value.response if isinstance(value, OpenApiResponse) else value for key, value in responses.items()
            }
        is_list: bool = super()._is_list_view(responses)  # type: ignore[arg-type]
        return is_list


def _strict_components() -> set[str]:
    """Return the schema names of serializers that reject unknown keys."""
    strict: set[type[Strict]] = set()
    pending = Strict.__subclasses__()
    while pending:
        strict.add(serializer := pending.pop())
        pending += serializer.__subclasses__()
    return {serializer.__name__.removesuffix("Serializer") for serializer in strict}


def refuse_unknown_keys(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Set `additionalProperties: false` for serializers that reject unknown keys (a hook of drf-spectacular).

    Args:
        result: The schema.
        **_: Unused.

    Returns:
        The schema.
    """
    strict = _strict_components()
    for name, component in result["components"]["schemas"].items():
        if name.endswith("Request") and name.removeprefix("Patched").removesuffix("Request") in strict:
            component["additionalProperties"] = False
    return result
