"""The moment at which something breaks: not any, but the middle of a sync, right at a request that the seed drew."""

from __future__ import annotations

import time
from random import Random

from simulators.exchange import ExchangeSimulator
from simulators.reinfer import ReinferSimulator

LONGEST = 2.5
"""Seconds to wait for the request; then it breaks all the same."""
AT_EXCHANGE = ("SyncFolderHierarchy", "SyncFolderItems", "GetItem", "GetItem")
AT_REINFER = ("sync", "sync", "sync")


def await_moment(random: Random, exchange: ExchangeSimulator, reinfer: ReinferSimulator) -> str:
    """Wait for the next request of the kind that is drawn, and a few milliseconds more. Returns what came."""
    wanted = random.choice([*AT_EXCHANGE, *AT_REINFER, "any time"])
    delay = random.choice([0.0, 0.0, 0.01, 0.05, 0.2])
    seen = (len(exchange.requests), len(reinfer.requests))
    end = time.monotonic() + LONGEST
    while time.monotonic() < end and wanted != "any time":
        new = [one.operation for one in exchange.requests[seen[0] :]] + reinfer.requests[seen[1] :]
        if wanted in new:
            break
        time.sleep(0.002)
    time.sleep(delay)
    return wanted
