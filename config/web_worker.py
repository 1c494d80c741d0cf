"""gunicorn's worker with threads, none of which a client can keep for long by sending slowly, and none of which keeps a
connection to the database.

gunicorn itself waits in a thread without any limit for the rest of the head of a request, once its first byte has come, and for
its body. Here both have to arrive in time; the connection is cut if they do not. A connection that sends nothing at all is
taken out of its thread by gunicorn after 5 seconds, and closed 2 seconds later.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from django.db import connections
from gunicorn.workers.gthread import DEFAULT_WORKER_DATA_TIMEOUT, ThreadWorker

HEAD_SECONDS = 20.0
"""In which the head of a request has to arrive as a whole."""
BODY_SECONDS = 20.0
"""In which a body has to arrive, beside the time for its size."""
LEAST_RATE = 16 * 1024
"""Bytes a second that a body has to bring in that time."""


class Reader(Protocol):
    """What gunicorn reads a body by."""

    def read(self, size: int) -> bytes: ...


class Deadlines:
    """Which connections are waited for, and until when."""

    def __init__(self) -> None:
        self._ends: dict[socket.socket, float] = {}

    @contextmanager
    def within(self, connection: socket.socket, end: float) -> Iterator[None]:
        """Wait for a connection inside of this; `end` in the seconds of `time.monotonic`."""
        self._ends[connection] = end
        try:
            yield
        finally:
            self._ends.pop(connection, None)

    def forget(self, connection: socket.socket) -> None:
        """What was waited for has come."""
        self._ends.pop(connection, None)

    def cut(self, now: float) -> None:
        """Cut the connections that were too slow: whoever waits for one sees its end."""
        for connection, end in list(self._ends.items()):
            if end < now:
                self.forget(connection)
                with suppress(OSError):  # closed meanwhile
                    connection.shutdown(socket.SHUT_RDWR)


class WholeBody:
    """Reads a body that has to arrive in time and as a whole.

    gunicorn takes the end of a connection for the end of the body, and half a form would be acted upon like a whole one.
    """

    def __init__(self, reader: Reader, connection: socket.socket, deadlines: Deadlines) -> None:
        self._reader = reader
        self._connection = connection
        self._deadlines = deadlines
        self._begun = time.monotonic()
        self._received = 0

    def __getattr__(self, name: str) -> Any:
        # gunicorn also looks at attributes of its own readers.
        return getattr(self._reader, name)

    def read(self, size: int) -> bytes:
        """At most so many bytes; none at the end. Raises `ConnectionError` if the connection ended before the body did."""
        due = min(size, getattr(self._reader, "length", 0))
        end = self._begun + BODY_SECONDS + (self._received + size) / LEAST_RATE
        with self._deadlines.within(self._connection, end):
            piece = self._reader.read(size)
        if len(piece) < due:
            raise ConnectionError("The connection ended before the body of the request did.")
        self._received += len(piece)
        return piece


class WebWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """See the text of this module."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._deadlines = Deadlines()

    def handle(self, conn: Any) -> Any:
        """Serve the next request of a connection, in a thread: it may first wait for data, then reads the head."""
        end = time.monotonic() + DEFAULT_WORKER_DATA_TIMEOUT + HEAD_SECONDS
        with self._deadlines.within(conn.sock, end):
            return super().handle(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request whose head has come, in the same thread."""
        self._deadlines.forget(conn.sock)
        req.body.reader = WholeBody(req.body.reader, conn.sock, self._deadlines)
        try:
            return super().handle_request(req, conn)
        finally:
            # Each thread would keep a connection to the database that only it can use, and there are many threads.
            connections.close_all()

    def notify(self) -> None:
        """Tell that the worker lives. gunicorn calls this at least once a second, outside the threads."""
        super().notify()
        self._deadlines.cut(time.monotonic())
