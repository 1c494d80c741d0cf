"""A kombu transport for Redis with which a worker survives every failure of Redis and leaves no connection open.

It differs from kombu's transport in three points:

- The use of a connection that was closed raises a connection error, which Celery handles by a reconnect. kombu raises
  another type, which ends the worker when Redis fails during a task, or when that task ends.
- A channel is closed completely, also when Redis refuses to take unfinished tasks back. Otherwise each retry leaves
  connections open. The tasks are not lost: the database stores which mailboxes are due.
- A connection that fails at its first command is closed, for the same reason.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from kombu.transport import redis
from redis.exceptions import ConnectionError as BrokerGone
from redis.exceptions import RedisError


class BrokerChannel(redis.Channel):
    """A channel that is closed completely, also when Redis fails meanwhile."""

    def close(self) -> None:
        """Close the channel and its connections."""
        try:
            super().close()
        except RedisError:
            # Waiting for the poll response failed, or returning unfinished tasks: continue with the steps after that.
            self._in_poll = None
            with suppress(RedisError):
                super().close()
            if self.connection is not None:
                self.connection.close_channel(self)
        finally:
            # Returning unfinished tasks opens another connection.
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
            # Celery does not own this connection yet, and would leave it open at each retry.
            self.close_connection(connection)
            raise
