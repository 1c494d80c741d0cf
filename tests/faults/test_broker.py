"""The connection of a worker to a real Redis that is killed or refuses writes."""

from __future__ import annotations

from contextlib import suppress

import pytest
import redis
from django.conf import settings
from kombu import Connection, Queue
from kombu.asynchronous import Hub
from kombu.common import ignore_errors

from demo import broker
from tests.faults.processes import queue

TASKS, ORDERS = Queue("sync", routing_key="sync"), Queue("orders", routing_key="orders")


@pytest.fixture
def server(tmp_path):
    if broker.binary() is None:
        pytest.skip("There is no Redis here that may be killed: install redis-server or valkey-server.")
    it = queue.Queue(tmp_path)
    it.start()
    yield it
    it.server.stop()


@pytest.fixture
def taken(server):
    """The connection of a worker that processes a task, with a second channel for control messages."""
    connection = Connection(server.url)
    connection.Producer().publish({}, routing_key="sync", exchange="", declare=[TASKS])
    messages = []
    connection.Consumer([TASKS], callbacks=[lambda body, message: messages.append(message)]).consume()
    connection.drain_events(timeout=5)
    connection.Consumer([ORDERS], channel=connection.channel()).consume()
    with suppress(TimeoutError):
        connection.drain_events(timeout=0.1)  # the connection now also waits for the next message
    return connection, messages[0]


def given_up(connection):
    """Close a connection as Celery does after an error."""
    with suppress(Exception):  # as Celery does
        connection.collect(socket_timeout=1)
    ignore_errors(connection, connection.close)


def test_a_connection_with_an_open_task_can_be_closed_after_redis_was_killed(server, taken):
    connection, _ = taken
    server.kill(keep=True)
    given_up(connection)


def test_acknowledging_a_task_after_its_connection_was_closed_is_a_connection_error(server, taken):
    connection, message = taken
    server.kill(keep=True)
    given_up(connection)
    with pytest.raises(connection.connection_errors):
        message.ack()


@pytest.mark.parametrize("refuses", ["fill", "refuse_writes"])
def test_a_worker_recovers_from_a_redis_that_refuses_writes_and_leaves_no_connection_open(server, taken, refuses):
    connection, _ = taken
    getattr(server, refuses)()
    with pytest.raises(connection.connection_errors + connection.channel_errors):
        connection.Producer().publish({}, routing_key="sync", exchange="", declare=[TASKS])
    assert settings.CELERY_BROKER_CHANNEL_ERROR_RETRY
    given_up(connection)
    with redis.Redis(port=server.port) as client:
        assert len(client.client_list()) == 1, "only the one that asks"


def test_a_connection_whose_first_command_is_refused_does_not_stay_open(server):
    server.fill()
    connection = Connection(server.url)
    connection.ensure_connection()
    with pytest.raises(redis.RedisError):
        connection.transport.register_with_event_loop(connection.connection, Hub())
    with redis.Redis(port=server.port) as client:
        assert len(client.client_list()) == 1, "only the one that asks"
