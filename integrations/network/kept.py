"""One live connection for each integration and process.

A connection is made when it is first needed, and so after a worker process was forked; it is closed when its settings change,
when too many others came after it, and when the process ends.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

MOST_OPEN = 64


class Closing(Protocol):
    def close(self) -> None: ...


class Keyed(Protocol):
    @property
    def key(self) -> str: ...


S = TypeVar("S", bound=Keyed)
C = TypeVar("C", bound=Closing)


class Kept(Generic[S, C]):
    """Connections by the keys of their settings: of one key at most one is open. `make` sends nothing."""

    def __init__(self, make: Callable[[S], C]) -> None:
        self._make = make
        self._open: OrderedDict[str, tuple[int, S, C]] = OrderedDict()
        self._lock = threading.Lock()
        atexit.register(self.close_all)

    def get(self, settings: S, *, fresh: bool = False) -> C:
        """The open connection with these settings; made when there is none. `fresh`: a new one takes the place of an open one,
        so that it signs in anew. Raises what making it raises."""
        with self._lock:
            pid, known, connection = self._open.get(settings.key, (0, None, None))
            if connection is not None and pid == os.getpid() and known == settings and not fresh:
                self._open.move_to_end(settings.key)
                return connection
            made = self._make(settings)
            self._open[settings.key] = (os.getpid(), settings, made)
            self._open.move_to_end(settings.key)
            stale = [connection] if connection is not None and pid == os.getpid() else []
            while len(self._open) > MOST_OPEN:
                stale.append(self._open.popitem(last=False)[1][2])
        for old in stale:
            old.close()
        return made

    def close_all(self) -> None:
        """Close every connection of this process."""
        with self._lock:
            mine = [connection for pid, _, connection in self._open.values() if pid == os.getpid()]
            self._open.clear()
        for connection in mine:
            connection.close()
