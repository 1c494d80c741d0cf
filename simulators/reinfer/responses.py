"""The JSON of the responses: `{"status": "ok", …}`, or `{"status": "error", "message": …}` with a 4xx or 5xx."""

from __future__ import annotations

import json
from typing import Any

from simulators.http import Response


class Refused(Exception):
    """The request is refused with this status and message. The message must not quote values of the request body."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def ok(**payload: Any) -> Response:
    return as_json({"status": "ok", **payload})


def error(status: int, message: str, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    return as_json({"status": "error", "message": message}, status, headers)


def as_json(value: Any, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    return Response(status=status, body=json.dumps(value, ensure_ascii=False).encode(), headers=headers)
