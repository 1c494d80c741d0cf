"""Redis as our workers meet it. Whatever becomes of it, a worker connects again; it never ends over it, and keeps nothing open.

kombu's own transport, but for three things. To use a connection that was given up is an error of the connection, which Celery
knows how to take; in kombu it is one of a wrong type, over which a worker ends: when Redis goes away while it has a task in
hand, or when that task then comes to its end. A channel is closed to its end, also where Redis refuses to take back what was
not done; and so is a connection that fails at its first word: else every new try leaves some open. The task is no loss: the
database knows what is due.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from kombu.transport import redis
from redis.exceptions import ConnectionError as BrokerGone
from redis.exceptions import RedisError


class BrokerChannel(redis.Channel):
    def close(self) -> None:
        try:
            super().close()
        except RedisError:
            # It failed at the answer that it waited for, or else at giving back what was not done: go on behind it.
            self._in_poll = None
            with suppress(RedisError):
                super().close()
            if self.connection is not None:
                self.connection.close_channel(self)
        finally:
            # To give something back it opens another one.
            self._disconnect_pools()  # type: ignore[attr-defined]  # its stubs lack what is private

    def _connparams(self, asynchronous: bool = False) -> Any:
        if getattr(self.connection, "client", None) is None:
            raise BrokerGone("This connection to Redis was given up.")
        return super()._connparams(asynchronous)  # type: ignore[misc]


class Transport(redis.Transport):
    BrokerChannel = BrokerChannel

    def register_with_event_loop(self, connection: Any, loop: Any) -> None:
        try:
            super().register_with_event_loop(connection, loop)
        except RedisError:
            # Celery has not taken this connection over yet, and would leave it open at each try.
            self.close_connection(connection)
            raise
