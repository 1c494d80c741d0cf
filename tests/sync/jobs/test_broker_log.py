"""Of the broker errors that Celery logs, one line per outage passes the filter, or none if the process has a guard."""

from __future__ import annotations

import logging

import pytest
from celery.beat import SchedulingError
from celery.worker.consumer.consumer import CONNECTION_ERROR  # type: ignore[attr-defined]  # the stubs omit it
from kombu.exceptions import OperationalError
from redis.exceptions import OutOfMemoryError

from sync.jobs.broker_log import BrokerLines


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def record(name="celery.worker.consumer.consumer", *args, error=None, text=CONNECTION_ERROR, level=logging.ERROR):
    return logging.LogRecord(name, level, "file", 1, text, args, (type(error), error, None) if error else None)


def wrapped_by_beat(error):
    """Return the error as beat wraps it."""
    wrapped = SchedulingError("dispatch")
    wrapped.__cause__ = error
    return wrapped


LINES = [
    record("celery.worker.consumer.consumer", "redis://", OperationalError("refused"), "again"),
    record("celery.beat", text="Message Error: %s", error=OperationalError("refused")),
    record("celery.beat", text="Message Error: %s", error=wrapped_by_beat(OutOfMemoryError("maxmemory"))),
    record("kombu.connection", text="lost", error=ConnectionResetError()),
]


@pytest.mark.parametrize("line", LINES, ids=lambda it: f"{it.name}")
def test_only_the_first_line_of_an_outage_is_logged(line):
    clock = Clock()
    lines = BrokerLines(clock)
    assert lines.filter(line)
    for _ in range(600):
        clock.now += 0.25
        assert not lines.filter(line)
    clock.now += 61
    assert lines.filter(line), "the next outage"


@pytest.mark.parametrize("line", LINES, ids=lambda it: f"{it.name}")
def test_no_line_is_logged_in_a_process_with_a_guard(line):
    lines = BrokerLines(Clock())
    lines.has_guard = True
    assert not lines.filter(line)


@pytest.mark.parametrize(
    "line",
    [
        record("celery.app.trace", text="Task raised", error=ValueError("no")),
        record("sync.jobs.runner", error=OperationalError("refused")),
        record("celery.app.trace", text="Task raised", error=ConnectionRefusedError()),
        record("celery.beat", text="Cannot open the schedule", error=FileNotFoundError()),
        record("celery.worker.consumer.consumer", level=logging.INFO, error=ConnectionRefusedError()),
    ],
    ids=lambda it: it.name,
)
def test_every_other_line_is_logged(line):
    lines = BrokerLines(Clock())
    lines.has_guard = True
    assert all(lines.filter(line) for _ in range(5))
