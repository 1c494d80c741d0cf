"""Mailboxes live, servers misbehave, workers die, an admin presses buttons, all drawn from a seed: nothing is lost, nothing is
billed twice, nothing is stuck.

FAULT_SEEDS="0-1999" says which seeds; the failing one prints itself and what happened in it.
"""

from __future__ import annotations

import os
from datetime import timedelta

import pytest

from simulators.exchange import Account, ExchangeSimulator
from tests.faults.seed import PASSWORD, Seed

FIRST, _, LAST = os.environ.get("FAULT_SEEDS", "0-15").partition("-")
SEEDS = range(int(FIRST), int(LAST or FIRST) + 1)


@pytest.fixture(scope="session")
def exchange():
    with ExchangeSimulator(accounts=[Account("BANK\\svc", PASSWORD)]) as started:
        yield started


@pytest.mark.parametrize("number", SEEDS)
@pytest.mark.django_db(transaction=True)
def test_nothing_is_lost_and_nothing_is_paid_twice(number, exchange, settings):
    settings.FETCH_COUNT, settings.PUSH_COUNT, settings.PAGE_SIZE = 2, 3, 4
    settings.EXCHANGE_DEADLINE = settings.REINFER_DEADLINE = timedelta(seconds=1)
    seed = Seed(number, exchange)
    found = seed.run()
    assert not found, "\n".join([f"seed {number}:", *found, "--", seed.told()])
