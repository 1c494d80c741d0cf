"""The OpenAPI schema. Operations are named after the views; tags are named after the first part of the path."""

from __future__ import annotations

import re
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse

from api.serializers.strict import Strict


class Schema(AutoSchema):
    """The schema of one view."""

    def get_operation_id(self) -> str:
        """Return the HTTP method and the name of the view in snake case."""
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(self.view).__name__).lower()
        return f"{self.method.lower()}_{words}"

    def get_tags(self) -> list[str]:
        """Return the first part of the path as the only tag."""
        return [self.path.removeprefix("/api/v1/").split("/")[0]]

    def _is_list_view(self, serializer: Any = None) -> bool:
        # The library recognizes lists only in bare serializers. Our serializers are inside an OpenApiResponse.
        found = serializer if serializer is not None else self.get_response_serializers()
        if isinstance(found, dict):
            found = {
                key: value.response if isinstance(value, OpenApiResponse) else value for key, value in found.items()
            }
        listed: bool = super()._is_list_view(found)  # type: ignore[arg-type]
        return listed


def _strict_components() -> set[str]:
    """Return the schema names of serializers that reject unknown keys."""
    found: set[type[Strict]] = set()
    waiting = Strict.__subclasses__()
    while waiting:
        found.add(one := waiting.pop())
        waiting += one.__subclasses__()
    return {one.__name__.removesuffix("Serializer") for one in found}


def refuse_unknown_keys(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Set `additionalProperties: false` for serializers that reject unknown keys, as a postprocessing hook.

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
