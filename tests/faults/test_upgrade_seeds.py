"""A release is installed in the middle of a life that is full of faults: nothing of what was there is sent unasked, exactly
that is sent when it is asked for, and live mail never waits. FAULT_SEEDS and FAULT_SOURCE as in `test_seeds`."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.faults.drawn import seeds
from tests.faults.upgrade import UpgradeSeed

SEEDS = seeds("0-1")


@pytest.mark.parametrize("number", SEEDS)
@pytest.mark.django_db(transaction=True)
def test_an_upgrade_sends_nothing_unasked_and_exactly_that_when_it_is_asked_for(number, end, settings):
    settings.FETCH_COUNT, settings.PUSH_COUNT, settings.PAGE_SIZE = 2, 3, 4
    settings.EXCHANGE_DEADLINE = settings.REINFER_DEADLINE = timedelta(seconds=1)
    seed = UpgradeSeed(number, end)
    found = seed.run()
    assert not found, "\n".join([f"seed {number}:", *found, "--", seed.told()])
