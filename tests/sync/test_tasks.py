"""Tests of the Celery tasks: they handle an unavailable database, repeated tasks and a worker shutdown."""

import logging
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.db import DataError, InterfaceError, InternalError, OperationalError, connection

from config.celery import app
from sync import tasks
from sync.jobs import scheduling, shutdown, verification
from sync.models import SyncRun, Verification
from sync.store.lease import database_now
from tests.faults.databases import ROOT

TEXT = "Dear Ann, the secret is 4711"
FORKS = """
import os
from sync.jobs import shutdown

read, write = os.pipe()
pid = os.fork()
if not pid:
    os.read(read, 1)
    os._exit(3 if shutdown.is_requested() else 4)
shutdown.request()
os.write(write, b"x")
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3
"""


def unavailable(kind):
    """Make every query raise this error."""

    def execute(execute, sql, params, many, context):
        raise kind(TEXT)

    return connection.execute_wrapper(execute)


@pytest.mark.parametrize("kind", [OperationalError, InterfaceError, InternalError])
@pytest.mark.parametrize("task", [tasks.dispatch_due, lambda: tasks.sync_mailbox(1)], ids=["dispatch", "sync"])
def test_an_unavailable_database_ends_the_task_with_one_log_line_that_contains_a_hint(db, caplog, task, kind):
    with unavailable(kind), caplog.at_level(logging.ERROR):
        task()
    (record,) = caplog.records
    line = str(record.msg)
    assert (record.exc_info, kind.__name__ in line, "PostgreSQL" in line, TEXT in line) == (None, True, True, False)


def test_other_database_errors_are_raised(db):
    with unavailable(DataError), pytest.raises(DataError):
        tasks.dispatch_due()


def test_of_many_dispatch_tasks_at_once_only_the_first_makes_queries(db, django_assert_num_queries):
    tasks.dispatch()
    with django_assert_num_queries(0):
        for _ in range(100):
            tasks.dispatch()


def test_no_periodic_task_has_an_expiry_time():
    app.loader.import_default_modules()
    schedule: dict[str, Any] = settings.CELERY_BEAT_SCHEDULE
    for entry in schedule.values():
        assert "expires" not in entry.get("options", {})
        assert app.tasks[entry["task"]].expires is None


def test_a_sync_task_of_a_mailbox_that_is_not_marked_as_queued_does_nothing(world):
    desk = world.mailbox()
    tasks.sync_mailbox(desk.pk)
    assert not SyncRun.objects.exists(), "the mailbox was not marked as queued"
    scheduling.queue(desk.pk, lambda pk: None, database_now())
    assert scheduling.is_queued(desk.pk)
    world.run(desk)
    assert not scheduling.is_queued(desk.pk)


def test_a_verification_task_runs_only_if_it_is_the_last_one_that_was_sent(world):
    row = verification.begin(world.mailbox(), repair=False)
    sent: list[tuple[int, str]] = []
    verification.send_due(lambda *task: sent.append(task))
    Verification.objects.update(next_at=database_now())  # the first task counts as lost, so another one is sent
    verification.send_due(lambda *task: sent.append(task))
    tasks.verify_mailbox(*sent[0])
    row.refresh_from_db()
    assert (row.error_text, row.claimed_until) == ("", None)
    tasks.verify_mailbox(*sent[1])
    row.refresh_from_db()
    assert row.error_text, "the task ran and could not reach Exchange"


def test_a_shutdown_request_reaches_forked_processes():
    assert not shutdown.is_requested()
    subprocess.run([sys.executable, "-c", FORKS], check=True, cwd=ROOT)
