"""Mailboxes live, servers misbehave, workers die, an admin presses buttons, all drawn from a seed: nothing is lost, nothing is
billed twice, nothing is stuck.

FAULT_SEEDS="0-1999" says which seeds, FAULT_SOURCE=ews or graph from which kind of server; the failing one prints itself and
what happened in it.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.faults.drawn import seeds
from tests.faults.seed import Seed

SEEDS = seeds("0-3")


@pytest.mark.parametrize("number", SEEDS)
@pytest.mark.django_db(transaction=True)
def test_nothing_is_lost_and_nothing_is_paid_twice(number, end, settings):
    settings.FETCH_COUNT, settings.PUSH_COUNT, settings.PAGE_SIZE = 2, 3, 4
    settings.EXCHANGE_DEADLINE = settings.REINFER_DEADLINE = timedelta(seconds=1)
    seed = Seed(number, end)
    found = seed.run()
    assert not found, "\n".join([f"seed {number}:", *found, "--", seed.told()])
