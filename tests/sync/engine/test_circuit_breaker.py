"""Tests of the circuit breaker of a bucket: how many refusals open it."""

from __future__ import annotations

import pytest

from integrations.errors import TooManyRefused
from sync.engine.circuit_breaker import BreakerWindow


def test_the_tenth_refusal_in_a_row_opens_the_breaker():
    breaker = BreakerWindow()
    for _ in range(9):
        breaker.note("-")
    with pytest.raises(TooManyRefused):
        breaker.note("-")


def test_refusals_among_accepted_emails_are_counted_over_the_last_hundred():
    breaker = BreakerWindow()
    for _ in range(5):
        breaker.note("-" + "+" * 6)
    assert breaker.window.count("-") == 5, "too few to open the breaker"
    for _ in range(8):
        breaker.note("-" + "+" * 6)
    assert len(breaker.window) == 91
    breaker.note("+" * 9)
    breaker.note("--")
    assert breaker.window.count("-") == 14
    with pytest.raises(TooManyRefused):
        breaker.note("--")


def test_one_refusal_in_ten_never_opens_the_breaker():
    breaker = BreakerWindow()
    for _ in range(100):
        breaker.note("+" * 9 + "-")


def test_refusals_are_not_in_a_row_while_other_outcomes_of_their_batch_are_unknown():
    breaker = BreakerWindow()
    breaker.note("-" * 12, alone=False)
    breaker.note("+" * 38)
    with pytest.raises(TooManyRefused):
        breaker.note("-" * 12, alone=True)


def test_accepted_comments_never_open_the_breaker():
    breaker = BreakerWindow("-" * 100)
    breaker.note("+++")


def test_a_pardoned_window_never_opens_the_breaker():
    breaker = BreakerWindow("-" * 100, pardoned=True)
    breaker.note("-" * 50)


def test_one_more_refusal_in_a_half_open_trial_opens_the_breaker_again():
    with pytest.raises(TooManyRefused):
        BreakerWindow("-" * 10).note("-")
