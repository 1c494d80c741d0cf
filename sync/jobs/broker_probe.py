"""Whether the broker can be used: it has to take a value, since one that is full or read-only still answers a ping."""

from __future__ import annotations

import redis
from django.conf import settings

from sync.models import Process

KEY = "reinfer-exchange:probe"
SECONDS = 5.0
"""That it may take to answer."""
LASTS = 60
"""Seconds after which the value is gone."""


def problem_of_broker(url: str = "") -> str:
    """A value of `Process.Broker`: why it cannot be used. Empty when it can. `url`: that of the settings if left out."""
    try:
        client = redis.Redis.from_url(
            url or settings.REDIS_URL, socket_timeout=SECONDS, socket_connect_timeout=SECONDS, retry=None
        )
        with client:
            client.set(KEY, 1, ex=LASTS)
    except redis.ResponseError:
        return Process.Broker.REFUSES
    except (redis.RedisError, OSError):
        return Process.Broker.AWAY
    return ""
