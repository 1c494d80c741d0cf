"""Tests of the latency of new emails."""

from datetime import UTC, datetime, timedelta

from sync.engine.latency import Latency, longer

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SINCE = NOW - timedelta(minutes=10)


def longest(*minutes_ago):
    return Latency(SINCE, lambda: NOW).longest([NOW - timedelta(minutes=ago) for ago in minutes_ago])


def test_the_longest_latency_is_that_of_the_email_that_arrived_first():
    assert longest(1, 3, 2) == 180


def test_mail_from_before_the_last_sync_is_not_measured():
    assert longest(60 * 24 * 365, 1) == 60
    assert longest(60) is None
    assert longest() is None


def test_before_the_first_finished_sync_nothing_is_measured():
    assert Latency(None, lambda: NOW).longest([NOW]) is None


def test_the_latency_is_zero_if_the_clock_of_exchange_is_ahead():
    assert longest(-5) == 0


def test_an_email_without_a_received_time_is_not_measured():
    assert Latency(SINCE, lambda: NOW).longest([None]) is None


def test_longer_ignores_none():
    assert [longer(None, None), longer(0, None), longer(None, 3), longer(5, 3)] == [None, 0, 3, 5]
