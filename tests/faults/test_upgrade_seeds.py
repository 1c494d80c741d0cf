"""Seeds in which a release with new filter rules is installed.

Newly wanted emails are not pushed before an administrator decides to push them. After this decision, all of them are pushed.
New mail never waits for the decision.
FAULT_SEEDS and FAULT_SOURCE work as in `test_seeds`.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.faults.drawn import seeds
from tests.faults.upgrade import UpgradeSeed

SEEDS = seeds("1")


@pytest.mark.parametrize("number", SEEDS)
@pytest.mark.django_db(transaction=True)
def test_newly_wanted_emails_are_pushed_only_after_a_decision_and_then_all_of_them(number, end, settings):
    settings.FETCH_COUNT, settings.PUSH_COUNT, settings.PAGE_SIZE = 2, 3, 4
    settings.EXCHANGE_DEADLINE = settings.REINFER_DEADLINE = timedelta(seconds=1)
    seed = UpgradeSeed(number, end)
    violations = seed.run()
    assert not violations, "\n".join([f"seed {number}:", *violations, "--", seed.report()])
