"""A check whether the broker can be used.

The check writes a value, because a broker that is full or read-only still answers a ping.
"""

from __future__ import annotations

import redis
from django.conf import settings

from sync.models import Process

KEY = "reinfer-exchange:probe"
TIMEOUT = 5.0
"""Time limit of the connection and of each response, in seconds."""
EXPIRES = 60
"""Seconds after which the value is deleted."""


def problem_of_broker(url: str = "") -> str:
    """Return why the broker cannot be used.

    Args:
        url: URL of the broker; `REDIS_URL` when empty.

    Returns:
        A value of `Process.Broker`, or an empty text when the broker can be used.
    """
    try:
        client = redis.Redis.from_url(
            url or settings.REDIS_URL, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry=None
        )
        with client:
            client.set(KEY, 1, ex=EXPIRES)
    except redis.ResponseError:
        return Process.Broker.REFUSES
    except (redis.RedisError, OSError):
        return Process.Broker.AWAY
    return ""
