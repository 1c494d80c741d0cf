"""A threaded gunicorn worker with deadlines for slow clients. Its threads keep no database connection.

gunicorn itself waits in a thread without a limit for the rest of a request head, once the first byte has arrived, and
for the request body. This worker closes the connection when one of them does not arrive in time. A connection that
sends nothing at all is taken out of its thread by gunicorn after 5 seconds, and closed 2 seconds later.
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
"""Seconds in which a complete request head has to arrive."""
BODY_SECONDS = 20.0
"""Seconds in which a request body has to arrive, in addition to the time for its size."""
LEAST_RATE = 16 * 1024
"""Bytes per second from which the time for the size of a body is computed."""


class Reader(Protocol):
    """The reader of a request body in gunicorn."""

    def read(self, size: int) -> bytes:
        """Read a part of the body.

        Args:
            size: Largest number of bytes.

        Returns:
            The bytes; none at the end.
        """


class Deadlines:
    """The connections that a thread waits for, with their deadlines."""

    def __init__(self) -> None:
        self._ends: dict[socket.socket, float] = {}

    @contextmanager
    def within(self, connection: socket.socket, end: float) -> Iterator[None]:
        """Set a deadline for a connection while the `with` block waits for it.

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
        """Remove the deadline of a connection, because the data has arrived.

        Args:
            connection: The socket of the connection.
        """
        self._ends.pop(connection, None)

    def cut(self, now: float) -> None:
        """Shut down the connections whose deadline is over, so that the waiting thread reads the end of the stream.

        Args:
            now: The current time in seconds of `time.monotonic`.
        """
        for connection, end in list(self._ends.items()):
            if end < now:
                self.forget(connection)
                with suppress(OSError):  # closed meanwhile
                    connection.shutdown(socket.SHUT_RDWR)


class WholeBody:
    """Reads a body that has to arrive completely and in time.

    gunicorn treats the end of a connection as the end of the body, so an incomplete form would be processed.

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
        # gunicorn also reads attributes of its own readers.
        return getattr(self._reader, name)

    def read(self, size: int) -> bytes:
        """Read a part of the body.

        Args:
            size: Largest number of bytes.

        Returns:
            The bytes; none at the end.

        Raises:
            ConnectionError: The connection ended before the body did.
        """
        expected = min(size, getattr(self._reader, "length", 0))
        end = self._started_at + BODY_SECONDS + (self._received + size) / LEAST_RATE
        with self._deadlines.within(self._connection, end):
            piece = self._reader.read(size)
        if len(piece) < expected:
            raise ConnectionError("The connection ended before the body of the request did.")
        self._received += len(piece)
        return piece


class WebWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """The worker class for gunicorn, see the docstring of this module."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadlines = Deadlines()

    def handle(self, conn: Any) -> Any:
        """Serve the next request of a connection, in a thread.

        Args:
            conn: The connection of gunicorn. It may first wait for data.

        Returns:
            The result of gunicorn's method.
        """
        end = time.monotonic() + DEFAULT_WORKER_DATA_TIMEOUT + HEAD_SECONDS
        with self._deadlines.within(conn.sock, end):
            return super().handle(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request whose head has arrived, in the same thread.

        Args:
            req: The request of gunicorn.
            conn: The connection of gunicorn.

        Returns:
            The result of gunicorn's method.
        """
        self._deadlines.forget(conn.sock)
        req.body.reader = WholeBody(req.body.reader, conn.sock, self._deadlines)
        try:
            return super().handle_request(req, conn)
        finally:
            # Otherwise each thread would keep its own database connection, and there are many threads.
            connections.close_all()

    def notify(self) -> None:
        """Notify gunicorn that the worker is alive, and shut down slow connections.

        gunicorn calls this at least once per second, outside the threads.
        """
        super().notify()
        self._deadlines.cut(time.monotonic())
