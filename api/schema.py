"""How the schema is told: names after the views, tags after the things, lists as lists."""

from __future__ import annotations

import re
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse

from api.serializers.strict import Strict


class Schema(AutoSchema):
    def get_operation_id(self) -> str:
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(self.view).__name__).lower()
        return f"{self.method.lower()}_{words}"

    def get_tags(self) -> list[str]:
        return [self.path.removeprefix("/api/v1/").split("/")[0]]

    def _is_list_view(self, serializer: Any = None) -> bool:
        # The library looks for lists among bare serializers; ours are in responses, with their words.
        found = serializer if serializer is not None else self.get_response_serializers()
        if isinstance(found, dict):
            found = {
                key: value.response if isinstance(value, OpenApiResponse) else value for key, value in found.items()
            }
        listed: bool = super()._is_list_view(found)  # type: ignore[arg-type]
        return listed


def _strict_components() -> set[str]:
    """The names that the schema gives to serializers that refuse unknown keys."""
    found: set[type[Strict]] = set()
    waiting = Strict.__subclasses__()
    while waiting:
        found.add(one := waiting.pop())
        waiting += one.__subclasses__()
    return {one.__name__.removesuffix("Serializer") for one in found}


def refuse_unknown_keys(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A hook: what refuses keys that it does not know says so in the schema, too."""
    strict = _strict_components()
    for name, component in result["components"]["schemas"].items():
        if name.endswith("Request") and name.removeprefix("Patched").removesuffix("Request") in strict:
            component["additionalProperties"] = False
    return result
