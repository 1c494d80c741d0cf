"""`$batch`: up to 20 requests in one request. Each part is handled like a separate request.

The responses are in the reverse order of the requests, because Graph does not guarantee an order.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from email.message import Message
from typing import Any
from urllib.parse import parse_qs

from simulators.graph.errors import Refused, as_json
from simulators.graph.routes import VERSION
from simulators.http import Request, Response

MOST = 20


def answer_batch(request: Request, answer: Callable[[Request], Response]) -> Response:
    """Handle the parts with the function `answer`. Raises `Refused` if the batch itself is invalid."""
    answered: dict[str, dict[str, Any]] = {}
    for part in _parts(request):
        answered[part["id"]] = _answered(request, part, answered, answer)
    return as_json({"responses": list(reversed(answered.values()))}, label="batch")


def _parts(request: Request) -> list[dict[str, Any]]:
    try:
        parts = json.loads(request.body)["requests"]
        ids = [part["id"].casefold() for part in parts]
        usable = all(isinstance(part["method"], str) and isinstance(part["url"], str) for part in parts)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Refused("BadRequest", "Invalid batch payload format.") from None
    if not parts or not usable or len(set(ids)) < len(ids):
        raise Refused("BadRequest", "Invalid batch payload format.")
    if len(parts) > MOST:
        raise Refused("BadRequest", f"Number of batch request steps exceeds the maximum value of {MOST}.")
    return list(parts)


def _answered(
    request: Request, part: dict[str, Any], before: dict[str, dict[str, Any]], answer: Callable[[Request], Response]
) -> dict[str, Any]:
    needed = [before.get(one) for one in part.get("dependsOn") or ()]
    if any(one is None or one["status"] >= 400 for one in needed):
        return _as_json(
            part["id"], Refused("FailedDependency", "A request before this one failed.", status=424).response()
        )
    return _as_json(part["id"], answer(_separate(request, part)))


def _separate(request: Request, part: dict[str, Any]) -> Request:
    """The part as a separate request. A URL in a batch is relative to the path of the version, `/v1.0`."""
    path, _, query = part["url"].partition("?")
    headers = Message()
    for name, value in (part.get("headers") or {}).items():
        headers[name] = str(value)
    whole = f"/{VERSION}/{path.lstrip('/')}"
    return Request(
        part["method"].upper(), whole, parse_qs(query, keep_blank_values=True), headers, b"", request.connection
    )


def _as_json(number: str, response: Response) -> dict[str, Any]:
    headers = dict(response.headers) | {"Content-Type": response.content_type}
    result: dict[str, Any] = {"id": number, "status": response.status, "headers": headers}
    if response.content_type == "application/json":
        return result | {"body": json.loads(response.body)}
    return result | {"body": base64.b64encode(response.body).decode()}
