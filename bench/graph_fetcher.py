"""Process of the benchmark `graph`: fetches the same emails in several ways.

The ways are `$value` requests over one, two and four connections, and batch requests with four or twenty parts. Graph
processes up to four parts of a batch concurrently, but the simulator processes the parts one after the other. So the latency
that is added to each part is a quarter of the latency that is added to a single request. Batches are thus measured in their
best case.
"""

from __future__ import annotations

import base64
import json
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial

import httpx

from bench.account import ADDRESS
from integrations.graph import connection as connections
from integrations.graph.connection import GraphRequest, GraphSettings, close_all, connection
from integrations.graph.responses import parts_of
from integrations.graph.source import GraphSource
from integrations.messages import Change, Email, FolderKind

BATCH = 50
LATENCY = 0.05
"""Seconds that are added to each single request in the runs with latency."""
AT_A_TIME = 4
"""Parts of a batch that Graph processes concurrently."""


def main() -> None:
    given = json.loads(sys.stdin.read())
    speeds: dict[str, list[float]] = {}
    for latency in (0.0, LATENCY):
        httpx.delete(f"{given['graph_control']}/faults", trust_env=False)
        for at_once in (1, 2, 4):
            settings, changes = _opened(given, at_once, latency)
            source = GraphSource(settings, ADDRESS)
            speeds.setdefault(f"$value by {at_once}", []).append(_speed(changes, partial(_by_value, source)))
        for size in (4, 20):
            settings, changes = _opened(given, 1, latency / AT_A_TIME)
            speeds.setdefault(f"$batch of {size}", []).append(_speed(changes, partial(_by_batch, settings, size)))
    print(json.dumps(speeds))


def _opened(given: dict[str, str], at_once: int, latency: float) -> tuple[GraphSettings, list[Change]]:
    close_all()
    connections.AT_ONCE = at_once
    httpx.delete(f"{given['graph_control']}/faults", trust_env=False)
    settings = GraphSettings(
        "bench",
        given["graph"],
        "oauth2",
        tenant_id="tenant",
        client_id="client",
        client_secret="secret",
        authority=given["graph"],
        ca_bundle=given["graph_ca"],
    )
    source = GraphSource(settings, ADDRESS)
    inbox = next(folder for folder in source.folders(None).changed if folder.kind is FolderKind.INBOX)
    changes = [change for page in source.changes(inbox.id, None) for change in page.changes]
    if latency:
        fault = {"effect": "slow", "operation": "mime", "seconds": latency}
        httpx.post(f"{given['graph_control']}/faults", json=fault, trust_env=False).raise_for_status()
        changes = changes[:200]
    return settings, changes


def _speed(changes: Sequence[Change], fetch: Callable[[Sequence[Change]], int]) -> float:
    """Return the emails fetched per second: the best of two runs."""
    best = 0.0
    for _ in range(2):
        started = time.monotonic()
        fetched = sum(fetch(changes[at : at + BATCH]) for at in range(0, len(changes), BATCH))
        best = max(best, fetched / (time.monotonic() - started))
    return best


def _by_value(source: GraphSource, changes: Sequence[Change]) -> int:
    return sum(isinstance(outcome, Email) for outcome in source.fetch(changes))


def _by_batch(settings: GraphSettings, size: int, changes: Sequence[Change]) -> int:
    graph, count = connection(settings), 0
    graph.deadline.start()
    for at in range(0, len(changes), size):
        parts = [
            {"id": change.item_id, "method": "GET", "url": f"/users/{ADDRESS}/messages/{change.item_id}/$value"}
            for change in changes[at : at + size]
        ]
        response = graph.ask(GraphRequest("/v1.0/$batch", body=json.dumps({"requests": parts}).encode()))
        for part in parts_of(response.document()).values():
            count += len(base64.b64decode(json.loads(part.body))) > 0
    return count


if __name__ == "__main__":
    main()
