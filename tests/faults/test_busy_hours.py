"""Several processes add counts to the same hours at the same time. No process overwrites the counts of another."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.faults.databases import ROOT, Databases

ENVIRONMENT = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONPATH": str(ROOT)}
SUMS = """
import django; django.setup()
from django.db.models import Count, Max, Min, Sum
from sync.models import Activity
print(*Activity.objects.aggregate(Count("pk"), Min("created"), Max("created"), Sum("updated"), Min("longest_wait")).values())
"""


@pytest.fixture
def environment(tmp_path):
    databases = Databases(tmp_path, ENVIRONMENT)
    yield {**ENVIRONMENT, "DATABASE_URL": databases.fresh()}
    databases.drop()


@pytest.mark.long
def test_runs_that_end_at_the_same_time_in_several_processes_add_up(environment):
    def start(*arguments):
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    assert start("-m", "tests.faults.busy_hours", "seed").wait(60) == 0
    workers = [start("-m", "tests.faults.busy_hours", str(wait)) for wait in (10, 40, 20, 30)]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        worker.communicate(timeout=60)
        assert worker.returncode == 0
    assert start("-c", SUMS).communicate(timeout=60)[0].split() == ["40", "4", "4", "320", "40"]
