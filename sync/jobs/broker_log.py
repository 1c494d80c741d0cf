"""What Celery and kombu log of a broker that is away or refuses: a line at each try. The guard of a process tells of an outage
once when it begins and once when it is over (`config.process_guard`), so these are kept out of the log; where there is
no guard, the first of them passes. Pure; knows libraries by name only.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Iterator

LOGGERS = ("celery.worker.consumer", "celery.beat", "kombu")
BROKEN = ("redis", "kombu", "amqp")
"""Where the types of such errors come from, beside those of a connection."""
QUIET = 60.0
"""Seconds without such a line, after which the next one is of another outage."""


class BrokerLines(logging.Filter):
    """Of one process. `has_guard`: somebody else tells of outages."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.has_guard = False
        self._clock = clock
        self._seen: float | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        if not _is_of_broker(record):
            return True
        before, self._seen = self._seen, self._clock()
        return not self.has_guard and (before is None or self._seen - before > QUIET)


OF_THIS_PROCESS = BrokerLines()


def _is_of_broker(record: logging.LogRecord) -> bool:
    """By the error that the line is about, and not by its words."""
    talks = any(record.name == name or record.name.startswith(f"{name}.") for name in LOGGERS)
    return talks and record.levelno >= logging.WARNING and any(_is_broken(error) for error in _errors(record))


def _errors(record: logging.LogRecord) -> Iterator[BaseException]:
    if record.exc_info and record.exc_info[1] is not None:
        yield record.exc_info[1]
    given = record.args if isinstance(record.args, tuple) else ()
    yield from (one for one in given if isinstance(one, BaseException))


def _is_broken(error: BaseException | None) -> bool:
    """Whether it is an error of the broker, or was raised over one."""
    if error is None:
        return False
    is_one = (
        isinstance(error, ConnectionError | TimeoutError | socket.gaierror)
        or type(error).__module__.partition(".")[0] in BROKEN
    )
    return is_one or _is_broken(error.__cause__) or _is_broken(error.__context__)
