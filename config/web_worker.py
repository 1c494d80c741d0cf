"""A threaded gunicorn worker with deadlines for slow clients. It closes database connections after each request.

After the first byte of a request, a thread of gunicorn waits without a time limit for the rest of the request head and for the
request body. This worker closes the connection if the head or the body does not arrive in time. If a client sends no data at
all, gunicorn itself frees the thread after 5 seconds, and closes the connection 2 seconds later.
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
"""Seconds within which the request head must be complete, in addition to the 5 seconds that gunicorn waits for its first
byte."""
BODY_SECONDS = 20.0
"""Seconds within which the request body must arrive, in addition to the time that the body needs at the rate `LEAST_RATE`."""
LEAST_RATE = 16 * 1024
"""Lowest rate at which a request body must arrive, in bytes per second."""


class Reader(Protocol):
    """The interface of gunicorn's readers of a request body."""

    def read(self, size: int) -> bytes:
        """Read a part of the body.

        Args:
            size: Maximum number of bytes.

        Returns:
            The bytes; none at the end.
        """


class Deadlines:
    """The deadlines of the connections from which threads are reading."""

    def __init__(self) -> None:
        self._ends: dict[socket.socket, float] = {}

    @contextmanager
    def within(self, connection: socket.socket, end: float) -> Iterator[None]:
        """Set a deadline for a connection during the `with` block.

        Args:
            connection: The socket of the connection.
            end: The deadline in seconds of `time.monotonic`.

        Yields:
            Nothing.
        """
        self._ends[connection] = end
        try:
            yield
        finally:
            self._ends.pop(connection, None)

    def forget(self, connection: socket.socket) -> None:
        """Remove the deadline of a connection.

        Args:
            connection: The socket of the connection.
        """
        self._ends.pop(connection, None)

    def cut(self, now: float) -> None:
        """Shut down the connections whose deadline has passed. The waiting thread then reads the end of the stream.

        Args:
            now: The current time in seconds of `time.monotonic`.
        """
        for connection, end in list(self._ends.items()):
            if end < now:
                self.forget(connection)
                with suppress(OSError):  # the connection was closed by another thread
                    connection.shutdown(socket.SHUT_RDWR)


class WholeBody:
    """Reader of a request body that raises an error if the body does not arrive completely and in time.

    gunicorn treats the end of the connection as the end of the body. So, without this reader, an incomplete form would be
    processed.

    Args:
        reader: The reader of gunicorn.
        connection: The socket of the connection.
        deadlines: The deadlines of the worker.
    """

    def __init__(self, reader: Reader, connection: socket.socket, deadlines: Deadlines) -> None:
        self._reader = reader
        self._connection = connection
        self._deadlines = deadlines
        self._started_at = time.monotonic()
        self._received = 0

    def __getattr__(self, name: str) -> Any:
        # gunicorn also uses other attributes of its readers.
        return getattr(self._reader, name)

    def read(self, size: int) -> bytes:
        """Read a part of the body.

        Args:
            size: Maximum number of bytes.

        Returns:
            The bytes; none at the end.

        Raises:
            ConnectionError: The connection was closed before the body was complete.
        """
        expected = min(size, getattr(self._reader, "length", 0))
        end = self._started_at + BODY_SECONDS + (self._received + size) / LEAST_RATE
        with self._deadlines.within(self._connection, end):
            piece = self._reader.read(size)
        if len(piece) < expected:
            raise ConnectionError("The connection was closed before the request body was complete.")
        self._received += len(piece)
        return piece


class WebWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """The worker class for gunicorn: see the module docstring."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadlines = Deadlines()

    def handle(self, conn: Any) -> Any:
        """Serve the next request of a connection. gunicorn calls this in a thread.

        Args:
            conn: gunicorn's connection. The first byte of the request may not have arrived yet.

        Returns:
            The result of gunicorn's method.
        """
        end = time.monotonic() + DEFAULT_WORKER_DATA_TIMEOUT + HEAD_SECONDS
        with self._deadlines.within(conn.sock, end):
            return super().handle(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Respond to a request whose head has arrived. gunicorn calls this in the same thread.

        Args:
            req: gunicorn's request.
            conn: gunicorn's connection.

        Returns:
            The result of gunicorn's method.
        """
        self._deadlines.forget(conn.sock)
        req.body.reader = WholeBody(req.body.reader, conn.sock, self._deadlines)
        try:
            return super().handle_request(req, conn)
        finally:
            # Otherwise each of the many threads would keep a database connection open.
            connections.close_all()

    def notify(self) -> None:
        """Notify gunicorn that the worker is alive, and shut down slow connections.

        gunicorn calls this at least once per second, in the main thread.
        """
        super().notify()
        self._deadlines.cut(time.monotonic())
