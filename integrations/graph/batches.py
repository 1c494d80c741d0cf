"""Combine several read requests in one request to Graph's `$batch`.

Source: https://learn.microsoft.com/en-us/graph/json-batching
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from integrations.graph.connection import GraphRequest

AT_ONCE = 20
"""Maximum number of requests in one batch."""


def batch_request(urls: Sequence[str], *, prefer: str = "") -> GraphRequest:
    """Return a batch request that reads several URLs.

    The id of a part is its index in `urls`; `responses.parts_of` returns the responses by these ids.

    Args:
        urls: Paths and queries without the API version, at most `AT_ONCE`.
        prefer: `Prefer` header of each part. Graph does not apply the header of the batch to its parts.

    Returns:
        The request, ready to be sent.
    """
    headers = {"headers": {"Prefer": prefer}} if prefer else {}
    parts = [{"id": str(number), "method": "GET", "url": url, **headers} for number, url in enumerate(urls)]
    return GraphRequest("/v1.0/$batch", body=json.dumps({"requests": parts}).encode())
