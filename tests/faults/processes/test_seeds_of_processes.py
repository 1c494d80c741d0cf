"""The installed product, killed, stopped, filled up and cut off at drawn moments: nothing is lost, nothing is billed twice,
nothing is stuck, nothing leaks.

PROCESS_SEEDS="0-49" says which seeds; the failing one prints itself and what happened in it. It starts a PostgreSQL and a Redis
of its own.
"""

from __future__ import annotations

import os
import sys

import pytest

from tests.faults.processes.leaks import held
from tests.faults.processes.seed import Seed
from tests.faults.processes.stack import faketime_library, running_stack

FIRST, _, LAST = os.environ.get("PROCESS_SEEDS", "0-1").partition("-")
SEEDS = range(int(FIRST), int(LAST or FIRST) + 1)

pytestmark = pytest.mark.processes


@pytest.fixture(scope="session")
def stack():
    with running_stack() as started:
        yield started


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
