"""What Celery logs of a broker that is away: one line an outage where nobody else tells, and none where somebody does."""

from __future__ import annotations

import logging

import pytest
from celery.beat import SchedulingError
from celery.worker.consumer.consumer import CONNECTION_ERROR
from kombu.exceptions import OperationalError
from redis.exceptions import OutOfMemoryError

from sync.jobs.broker_log import BrokerLines


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def record(name="celery.worker.consumer.consumer", *args, error=None, text=CONNECTION_ERROR, level=logging.ERROR):
    return logging.LogRecord(name, level, "file", 1, text, args, (type(error), error, None) if error else None)


def raised_over(error):
    """As beat wraps what it meets."""
    wrapped = SchedulingError("dispatch")
    wrapped.__cause__ = error
    return wrapped


LINES = [
    record("celery.worker.consumer.consumer", "redis://", OperationalError("refused"), "again"),
    record("celery.beat", text="Message Error: %s", error=OperationalError("refused")),
    record("celery.beat", text="Message Error: %s", error=raised_over(OutOfMemoryError("maxmemory"))),
    record("kombu.connection", text="lost", error=ConnectionResetError()),
]


@pytest.mark.parametrize("line", LINES, ids=lambda it: f"{it.name}")
def test_the_first_line_of_an_outage_passes_and_no_other(line):
    clock = Clock()
    lines = BrokerLines(clock)
    assert lines.filter(line)
    for _ in range(600):
        clock.now += 0.25
        assert not lines.filter(line)
    clock.now += 61
    assert lines.filter(line), "the next outage"


@pytest.mark.parametrize("line", LINES, ids=lambda it: f"{it.name}")
def test_where_a_guard_tells_none_passes(line):
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
def test_any_other_line_passes_as_often_as_it_comes(line):
    lines = BrokerLines(Clock())
    lines.has_guard = True
    assert all(lines.filter(line) for _ in range(5))
