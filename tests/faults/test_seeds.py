"""Random simulations with mail, server errors, killed workers and actions of an admin, each determined by a seed.

No email is lost, none is billed twice, and every mailbox is up to date at the end. FAULT_SEEDS selects the seeds, such as
"0-1999". FAULT_SOURCE selects the server: ews or graph. A failing seed prints its number and everything that happened.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.faults.drawn import seeds
from tests.faults.seed import Seed

SEEDS = seeds("1")


@pytest.mark.parametrize("number", SEEDS)
@pytest.mark.django_db(transaction=True)
def test_nothing_is_lost_and_nothing_is_paid_twice(number, end, settings):
    settings.FETCH_COUNT, settings.PUSH_COUNT, settings.PAGE_SIZE = 2, 3, 4
    settings.EXCHANGE_DEADLINE = settings.REINFER_DEADLINE = timedelta(seconds=1)
    seed = Seed(number, end)
    violations = seed.run()
    assert not violations, "\n".join([f"seed {number}:", *violations, "--", seed.report()])
