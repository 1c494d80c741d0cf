"""Several readings in one request: Graph's `$batch`."""

from __future__ import annotations

import json
from collections.abc import Sequence

from integrations.graph.connection import GraphRequest

AT_ONCE = 20
"""Requests that Graph takes in one batch."""


def batch_of(urls: Sequence[str], *, prefer: str = "") -> GraphRequest:
    """A batch that reads these, at most `AT_ONCE`. The id of a part is its index in `urls` (`refusals.parts_of` reads them).

    `prefer`: the `Prefer` header of each part. Graph does not apply the header of the batch to its parts.
    """
    headers = {"headers": {"Prefer": prefer}} if prefer else {}
    parts = [{"id": str(number), "method": "GET", "url": url, **headers} for number, url in enumerate(urls)]
    return GraphRequest("/v1.0/$batch", body=json.dumps({"requests": parts}).encode())
