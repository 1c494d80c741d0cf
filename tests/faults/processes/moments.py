"""The moment of a fault: shortly after the next request of a random kind, or at any time."""

from __future__ import annotations

import time
from random import Random

from simulators.exchange import ExchangeSimulator
from simulators.reinfer import ReinferSimulator

LONGEST = 2.5
"""Maximum time in seconds to wait for the request. Then the fault happens without a request."""
AT_EXCHANGE = ("SyncFolderHierarchy", "SyncFolderItems", "GetItem", "GetItem")
AT_REINFER = ("sync", "sync", "sync")


def await_moment(random: Random, exchange: ExchangeSimulator, reinfer: ReinferSimulator) -> str:
    """Choose a kind of request or `any time`. Wait for the next request of this kind, at most `LONGEST` seconds.

    Then wait up to 0.2 s longer.

    Returns:
        The kind, or `any time`.
    """
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
