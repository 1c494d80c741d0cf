"""Writes every request body and response body to a file, uncompressed, for people and for schema validation.

The files are numbered: `DIR/000001-SyncFolderItems-request.xml`, `…-response.xml`. The file name of a response that is not
XML also contains the HTTP status. Headers are not written. Passwords, client secrets, assertions and tokens are masked in
bodies below 64 KiB.
"""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Collection
from pathlib import Path

from simulators.http import Request, Response

SUFFIXES = {"text/xml": "xml", "application/xml": "xml", "application/json": "json", "text/html": "html"}
SECRETS = re.compile(
    rb"((?:client_secret|password|access_token|refresh_token|client_assertion)(?:=|\"\s*:\s*\"))[^&\"]*"
)


class Recorder:
    """Writes into one folder. Thread-safe. `kinds`: the file suffixes to use; other bodies get `.txt`."""

    def __init__(self, folder: Path, kinds: Collection[str] = ("xml", "json", "html")) -> None:
        self.folder = folder
        self._kinds = kinds
        folder.mkdir(parents=True, exist_ok=True)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def record(self, request: Request, response: Response) -> None:
        with self._lock:
            number = next(self._numbers)
        label = re.sub(r"[^\w.-]+", "-", response.label or request.path.strip("/").replace("/", "-") or "root")
        stem = f"{number:06d}-{label}"
        sent = self._suffix(request.headers.get_content_type(), request.body)
        answered = self._suffix(response.content_type, response.body)
        status = "" if answered == "xml" else f"-{response.status}"
        (self.folder / f"{stem}-request.{sent}").write_bytes(_masked(request.body))
        (self.folder / f"{stem}-response{status}.{answered}").write_bytes(_masked(response.body))

    def _suffix(self, content_type: str, body: bytes) -> str:
        kind = SUFFIXES.get(content_type.partition(";")[0].strip().lower(), "txt") if body else "txt"
        return kind if kind in self._kinds else "txt"


def _masked(body: bytes) -> bytes:
    return SECRETS.sub(rb"\1***", body) if len(body) < 65_536 else body
