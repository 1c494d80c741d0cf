"""The installed product, killed, stopped, filled up and cut off at drawn moments: nothing is lost, nothing is billed twice,
nothing is stuck, nothing leaks.

PROCESS_SEEDS="0-49" says which seeds; the failing one prints itself and what happened in it. It starts a PostgreSQL and a Redis
of its own.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from demo import broker
from tests.faults.processes.cluster import programs
from tests.faults.processes.leaks import held
from tests.faults.processes.seed import Seed
from tests.faults.processes.stack import Stack, faketime_library

FIRST, _, LAST = os.environ.get("PROCESS_SEEDS", "0-1").partition("-")
SEEDS = range(int(FIRST), int(LAST or FIRST) + 1)

pytestmark = pytest.mark.processes


@pytest.fixture(scope="session")
def stack():
    if programs() is None:
        pytest.skip("There is no PostgreSQL here that may be killed: install Debian's package postgresql.")
    if broker.binary() is None:
        pytest.skip("There is no Redis here that may be killed: install redis-server or valkey-server.")
    # Not below pytest's own folder, into which the user that PostgreSQL runs as may not look.
    folder = Path(tempfile.mkdtemp(prefix="reinfer-exchange-faults-"))
    folder.chmod(0o755)
    with Stack(folder).running() as started:
        yield started
    if "KEEP_LOGS" not in os.environ:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def at_rest(stack):
    """What it holds when it has nothing to do."""
    Seed(-1, stack).warm_up()
    return held(stack)


def test_the_clocks_of_workers_can_be_turned_here():
    if faketime_library() is None:
        pytest.skip("Clocks are not turned in these seeds: install Debian's package faketime.")


@pytest.mark.parametrize("number", SEEDS)
def test_nothing_is_lost_or_paid_twice_when_the_processes_break(number, stack, at_rest):
    seed = Seed(number, stack, at_rest)
    try:
        found = seed.run()
    finally:
        sys.stdout.write(f"\nseed {number}: {', '.join(seed.breakage.log)}\n{seed.told()}\n")
    assert not found, "\n".join([f"seed {number}:", *found, "--", seed.told()])
