"""Random faults of the processes of the installed product, each run determined by a process seed.

No email is lost, none is billed twice, every mailbox is up to date at the end, and nothing leaks. PROCESS_SEEDS selects the
seeds, such as "0-49". A failing seed prints its number and everything that happened. The tests start their own PostgreSQL
and Redis.
"""

from __future__ import annotations

import os
import sys

import pytest

from tests.faults.processes.leaks import resources_of
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
    """The resources of the idle stack."""
    Seed(-1, stack).warm_up()
    return resources_of(stack)


def test_the_clocks_of_workers_can_be_changed_on_this_machine():
    if faketime_library() is None:
        pytest.skip("Clocks are not turned in these seeds: install Debian's package faketime.")


@pytest.mark.parametrize("number", SEEDS)
def test_nothing_is_lost_or_paid_twice_when_the_processes_break(number, stack, at_rest):
    seed = Seed(number, stack, at_rest)
    try:
        violations = seed.run()
    finally:
        sys.stdout.write(f"\nseed {number}: {', '.join(seed.breakage.log)}\n{seed.report()}\n")
    assert not violations, "\n".join([f"seed {number}:", *violations, "--", seed.report()])
