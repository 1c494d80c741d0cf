"""How long new email waited."""

from datetime import UTC, datetime, timedelta

from sync.engine.latency import Latency, longer

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SINCE = NOW - timedelta(minutes=10)


def longest(*minutes_ago):
    return Latency(SINCE, lambda: NOW).longest([NOW - timedelta(minutes=ago) for ago in minutes_ago])


def test_the_longest_wait_is_that_of_the_email_that_came_first():
    assert longest(1, 3, 2) == 180


def test_mail_that_was_there_before_is_not_new():
    assert longest(60 * 24 * 365, 1) == 60
    assert longest(60) is None
    assert longest() is None


def test_before_a_mailbox_was_ever_in_sync_nothing_is_new():
    assert Latency(None, lambda: NOW).longest([NOW]) is None


def test_an_exchange_whose_clock_is_ahead_delivers_in_no_time():
    assert longest(-5) == 0


def test_an_email_without_a_time_says_nothing():
    assert Latency(SINCE, lambda: NOW).longest([None]) is None


def test_the_longer_of_two_waits_is_the_one_there_is():
    assert [longer(None, None), longer(0, None), longer(None, 3), longer(5, 3)] == [None, 0, 3, 5]
