"""When refusals stop being the fault of single emails."""

from __future__ import annotations

import pytest

from integrations.errors import TooManyRefused
from sync.engine.circuit_breaker import BreakerWindow


def test_nine_refusals_in_a_row_are_nine_bad_emails_and_the_tenth_is_not():
    breaker = BreakerWindow()
    for _ in range(9):
        breaker.note("-")
    with pytest.raises(TooManyRefused):
        breaker.note("-")


def test_refusals_among_accepted_emails_are_counted_over_the_last_hundred():
    breaker = BreakerWindow()
    for _ in range(5):
        breaker.note("-" + "+" * 6)
    assert breaker.window.count("-") == 5, "too few to tell"
    for _ in range(8):
        breaker.note("-" + "+" * 6)
    assert len(breaker.window) == 91
    breaker.note("+" * 9)
    breaker.note("--")
    assert breaker.window.count("-") == 14
    with pytest.raises(TooManyRefused):
        breaker.note("--")


def test_one_in_ten_never_stops_a_bucket():
    breaker = BreakerWindow()
    for _ in range(100):
        breaker.note("+" * 9 + "-")


def test_emails_that_make_no_comment_are_no_row_while_others_of_their_batch_are_still_to_be_pushed():
    breaker = BreakerWindow()
    breaker.note("-" * 12, alone=False)
    breaker.note("+" * 38)
    with pytest.raises(TooManyRefused):
        breaker.note("-" * 12, alone=True)


def test_a_batch_that_was_accepted_whole_never_stops_it_whatever_came_before():
    breaker = BreakerWindow("-" * 100)
    breaker.note("+++")


def test_what_an_admin_pardoned_is_not_counted_against_the_bucket():
    breaker = BreakerWindow("-" * 100, pardoned=True)
    breaker.note("-" * 50)


def test_a_probe_that_is_refused_too_stops_at_once():
    with pytest.raises(TooManyRefused):
        BreakerWindow("-" * 10).note("-")
