"""The switch from EWS to Graph and back at the size of a mailbox: 2,000 emails in three mailboxes, and their life goes on."""

from __future__ import annotations

import pytest

from tests.faults.midlife import Midlife
from tests.faults.test_midlife_switch import whole_life


@pytest.mark.journey
@pytest.mark.django_db(transaction=True)
def test_two_thousand_emails_are_switched_in_the_middle_of_their_life(db):
    with Midlife(number=7).stage() as life:
        whole_life(life, emails=2_000)
