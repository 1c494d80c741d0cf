"""A log filter for broker errors. Celery and kombu log one line for each failed attempt to connect or write.

The process guard (`config.process_guard`) logs the beginning and the end of an outage, so these lines are dropped. In a
process without a guard, only the first line of an outage is logged. This module identifies the libraries by name and
does not import them.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Iterator

LOGGERS = ("celery.worker.consumer", "celery.beat", "kombu")
"""Loggers that log broker errors."""
ERROR_PACKAGES = ("redis", "kombu", "amqp")
"""Packages that define broker errors, in addition to Python's own errors for connections, timeouts and host names."""
OUTAGE_GAP = 60.0
"""If no broker error occurred for more than this number of seconds, the next broker error belongs to a new outage."""


class BrokerLines(logging.Filter):
    """Drops repeated log lines about broker errors.

    Attributes:
        has_guard: Whether the process guard of this process logs outages.

    Args:
        clock: A monotonic clock in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.has_guard = False
        self._clock = clock
        self._seen: float | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is logged.

        Args:
            record: The log record.

        Returns:
            False for a broker error if the process has a guard, or if the line belongs to an outage that was logged already.
        """
        if not _is_broker_line(record):
            return True
        previous, self._seen = self._seen, self._clock()
        return not self.has_guard and (previous is None or self._seen - previous > OUTAGE_GAP)


OF_THIS_PROCESS = BrokerLines()


def _is_broker_line(record: logging.LogRecord) -> bool:
    """Return whether the line is a warning or an error of one of `LOGGERS` and contains a broker error.

    The type of the exception decides, not the text.
    """
    from_broker_logger = any(record.name == name or record.name.startswith(f"{name}.") for name in LOGGERS)
    return (
        from_broker_logger
        and record.levelno >= logging.WARNING
        and any(_is_broker_error(error) for error in _errors(record))
    )


def _errors(record: logging.LogRecord) -> Iterator[BaseException]:
    if record.exc_info and record.exc_info[1] is not None:
        yield record.exc_info[1]
    arguments = record.args if isinstance(record.args, tuple) else ()
    yield from (argument for argument in arguments if isinstance(argument, BaseException))


def _is_broker_error(error: BaseException | None) -> bool:
    """Return whether the error is a broker error, or has a broker error in its chain of causes and contexts."""
    if error is None:
        return False
    is_broker_error = (
        isinstance(error, ConnectionError | TimeoutError | socket.gaierror)
        or type(error).__module__.partition(".")[0] in ERROR_PACKAGES
    )
    return is_broker_error or _is_broker_error(error.__cause__) or _is_broker_error(error.__context__)
