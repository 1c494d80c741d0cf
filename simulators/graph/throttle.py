"""The limits that Microsoft documents for Outlook.

For each app and mailbox, the limits are 4 concurrent requests, and 10,000 requests in 10 minutes.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from simulators.graph.errors import Refused


@dataclass(frozen=True)
class Limits:
    concurrent: int = 4
    requests: int = 10_000
    window: float = 600.0
    """Length of the period to which `requests` applies, in seconds."""
    retry_after: int | None = 1
    """Seconds of the `Retry-After` header if too many requests are concurrent; None: no header."""


@dataclass
class Throttle:
    """Counts the requests of each app to each mailbox. Without `limits`, nothing is refused."""

    limits: Limits | None = None
    clock: Callable[[], float] = time.monotonic
    refused: int = 0
    _running: Counter[tuple[str, str]] = field(default_factory=Counter, repr=False)
    _times: dict[tuple[str, str], deque[float]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @contextmanager
    def slot(self, client_id: str, mailbox: str) -> Iterator[None]:
        """Context manager that counts one running request of this app to this mailbox. Raises `Refused` above a limit."""
        key = client_id, mailbox.casefold()
        with self._lock:
            self._enter(key)
            self._running[key] += 1
        try:
            yield
        finally:
            with self._lock:
                self._running[key] -= 1

    def _enter(self, key: tuple[str, str]) -> None:
        if self.limits is None:
            return
        now, times = self.clock(), self._times.setdefault(key, deque())
        while times and times[0] <= now - self.limits.window:
            times.popleft()
        if self._running[key] >= self.limits.concurrent:
            raise self._refusal("Application is over its MailboxConcurrency limit.", self.limits.retry_after)
        if len(times) >= self.limits.requests:
            wait = int(times[0] + self.limits.window - now) + 1
            raise self._refusal("Application is over its MailboxRequests limit.", wait)
        times.append(now)

    def _refusal(self, text: str, retry_after: int | None) -> Refused:
        self.refused += 1
        return Refused("ApplicationThrottled", text, headers=retry_after_header(retry_after))


def retry_after_header(seconds: float | str | None) -> tuple[tuple[str, str], ...]:
    return () if seconds is None else (("Retry-After", str(seconds)),)
