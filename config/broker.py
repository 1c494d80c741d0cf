"""A kombu transport for Redis. With it, a failure of Redis does not end a worker, and does not leave connections open.

It differs from kombu's Redis transport in three points:

- The use of a closed connection raises a connection error, after which Celery reconnects. kombu raises an exception of
  another type, which ends the worker if Redis fails during a task or at the end of a task.
- A channel is closed completely, even if Redis refuses to requeue unfinished tasks. Otherwise each retry would leave
  connections open. No sync is lost, because the database stores which mailboxes are due.
- A connection whose first command fails is closed. Otherwise each retry would leave a connection open.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from kombu.transport import redis
from redis.exceptions import ConnectionError as BrokerGone
from redis.exceptions import RedisError


class BrokerChannel(redis.Channel):
    """A channel that is closed completely, even if Redis fails while it is closed."""

    def close(self) -> None:
        """Close the channel and its connections."""
        try:
            super().close()
        except RedisError:
            # Reading the poll response or requeueing unfinished tasks failed. The second call skips these steps.
            self._in_poll = None
            with suppress(RedisError):
                super().close()
            if self.connection is not None:
                self.connection.close_channel(self)
        finally:
            # Otherwise the connections of the pools would stay open, including a connection that was opened for requeueing.
            self._disconnect_pools()  # type: ignore[attr-defined]  # the stubs lack private methods

    def _connparams(self, asynchronous: bool = False) -> Any:
        if getattr(self.connection, "client", None) is None:
            raise BrokerGone("This connection to Redis was closed.")
        return super()._connparams(asynchronous)  # type: ignore[misc]


class Transport(redis.Transport):
    """kombu's Redis transport with `BrokerChannel`."""

    Channel = BrokerChannel

    def register_with_event_loop(self, connection: Any, loop: Any) -> None:
        """Register a connection with the event loop of the worker, and close the connection if that fails.

        Args:
            connection: The connection.
            loop: The event loop.
        """
        try:
            super().register_with_event_loop(connection, loop)
        except RedisError:
            # Celery does not store this connection yet, so Celery would not close the connection before a retry.
            self.close_connection(connection)
            raise
