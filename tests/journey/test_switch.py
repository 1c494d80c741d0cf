"""The switch from EWS to Graph and back with 2,000 emails in three mailboxes, while their mail changes."""

from __future__ import annotations

import pytest

from tests.faults.midlife import Midlife
from tests.faults.test_midlife_switch import whole_life


@pytest.mark.journey
@pytest.mark.django_db(transaction=True)
def test_an_integration_with_two_thousand_emails_is_switched_while_mail_changes(db):
    with Midlife(number=7).stage() as life:
        whole_life(life, emails=2_000)
