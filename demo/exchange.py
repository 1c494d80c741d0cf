"""A client of the control endpoints of the simulated Exchange and Re:infer."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Control:
    """A control endpoint of a simulator. Each method sends one request."""

    url: str

    def get(self, path: str, **query: str) -> Any:
        return json.loads(self.raw(path, **query))

    def raw(self, path: str, **query: str) -> bytes:
        address = f"{self.url}/{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
        with OPENER.open(address, timeout=30) as answer:
            return bytes(answer.read())

    def post(self, path: str, **given: Any) -> Any:
        return self._send("POST", path, json.dumps(given).encode())

    def put(self, path: str, **given: Any) -> Any:
        return self._send("PUT", path, json.dumps(given).encode())

    def delete(self, path: str) -> Any:
        return self._send("DELETE", path, None)

    def _send(self, method: str, path: str, body: bytes | None) -> Any:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/{path}", body, headers, method=method)
        with OPENER.open(request, timeout=30) as answer:
            return json.loads(answer.read())
