"""What the tasks do beside the one thing that they call: a database that is away costs one line, and no other word."""

import logging
import subprocess
import sys

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


def away(kind):
    def execute(execute, sql, params, many, context):
        raise kind(TEXT)

    return connection.execute_wrapper(execute)


@pytest.mark.parametrize("kind", [OperationalError, InterfaceError, InternalError])
@pytest.mark.parametrize("task", [tasks.dispatch_due, lambda: tasks.sync_mailbox(1)], ids=["dispatch", "sync"])
def test_a_database_that_is_away_or_read_only_ends_the_task_with_one_line_that_says_what_to_do(db, caplog, task, kind):
    with away(kind), caplog.at_level(logging.ERROR):
        task()
    (record,) = caplog.records
    said = str(record.msg)
    assert (record.exc_info, kind.__name__ in said, "PostgreSQL" in said, TEXT in said) == (None, True, True, False)


def test_any_other_fault_of_the_database_is_one_of_ours(db):
    with away(DataError), pytest.raises(DataError):
        tasks.dispatch_due()


def test_of_a_burst_of_ticks_one_looks(db, django_assert_num_queries):
    tasks.dispatch()
    with django_assert_num_queries(0):
        for _ in range(100):
            tasks.dispatch()


def test_no_tick_hangs_on_the_clocks_of_two_machines():
    app.loader.import_default_modules()
    for tick in settings.CELERY_BEAT_SCHEDULE.values():
        assert "expires" not in tick.get("options", {})
        assert app.tasks[tick["task"]].expires is None


def test_a_task_that_comes_twice_or_late_does_nothing_the_second_time(world):
    desk = world.mailbox()
    tasks.sync_mailbox(desk.pk)
    assert not SyncRun.objects.exists(), "nobody had sent it"
    scheduling.queue(desk.pk, lambda pk: None, database_now())
    assert scheduling.is_queued(desk.pk)
    world.run(desk)
    assert not scheduling.is_queued(desk.pk)


def test_a_verification_goes_on_only_under_the_mark_with_which_it_was_last_sent(world):
    row = verification.begin(world.mailbox(), repair=False)
    sent: list[tuple[int, str]] = []
    verification.send_due(lambda *task: sent.append(task))
    Verification.objects.update(next_at=database_now())  # it counts as lost, and is sent anew
    verification.send_due(lambda *task: sent.append(task))
    tasks.verify_mailbox(*sent[0])
    row.refresh_from_db()
    assert (row.error_text, row.claimed_until) == ("", None)
    tasks.verify_mailbox(*sent[1])
    row.refresh_from_db()
    assert row.error_text, "it asked an Exchange that is not there"


def test_what_one_process_is_told_those_that_it_forked_see():
    assert not shutdown.is_requested()
    subprocess.run([sys.executable, "-c", FORKS], check=True, cwd=ROOT)
