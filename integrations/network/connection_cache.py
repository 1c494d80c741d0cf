"""Store at most one open connection per integration and process.

A connection is opened when it is first needed, so it is never opened before a worker process is forked. It is closed when
another connection of the same integration replaces it, when `MAX_OPEN` other connections were used more recently, or when
the process ends.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

MAX_OPEN = 64
"""Maximum number of open connections per process and adapter."""


class Closing(Protocol):
    """A connection."""

    def close(self) -> None:
        """Close the connection."""


class Keyed(Protocol):
    """The settings of a connection."""

    @property
    def key(self) -> str:
        """Return the key of the integration."""


S = TypeVar("S", bound=Keyed)
C = TypeVar("C", bound=Closing)


class ConnectionCache(Generic[S, C]):
    """A thread-safe store of connections with at most one open connection per key."""

    def __init__(self, make: Callable[[S], C]) -> None:
        """Create an empty store.

        Args:
            make: Creates a connection from its settings, without sending a request.
        """
        self._make = make
        self._open: OrderedDict[str, tuple[int, S, C]] = OrderedDict()
        self._lock = threading.Lock()
        atexit.register(self.close_all)

    def get(self, settings: S, *, fresh: bool = False) -> C:
        """Return the open connection with these settings, or a new one.

        A new connection replaces an open connection with the same key, and the old connection is closed. If more than
        `MAX_OPEN` connections are open, the least recently used ones are closed, too. Exceptions of `make` propagate.

        Args:
            settings: The settings of the connection.
            fresh: Whether to make a new connection, which signs in anew, even if a connection with these settings is open.

        Returns:
            The connection.
        """
        with self._lock:
            pid, known, connection = self._open.get(settings.key, (0, None, None))
            if connection is not None and pid == os.getpid() and known == settings and not fresh:
                self._open.move_to_end(settings.key)
                return connection
            created = self._make(settings)
            self._open[settings.key] = (os.getpid(), settings, created)
            self._open.move_to_end(settings.key)
            stale = [connection] if connection is not None and pid == os.getpid() else []
            while len(self._open) > MAX_OPEN:
                stale.append(self._open.popitem(last=False)[1][2])
        for old in stale:
            old.close()
        return created

    def close_all(self) -> None:
        """Close every connection of this process."""
        with self._lock:
            own = [connection for pid, _, connection in self._open.values() if pid == os.getpid()]
            self._open.clear()
        for connection in own:
            connection.close()
