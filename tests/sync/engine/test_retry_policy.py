"""Tests of the retry policy: the next action after a sync, and its time."""

from datetime import UTC, datetime, timedelta

import pytest

from integrations import errors
from integrations.errors import Scope
from sync.engine.error_scope import ConnectionEvidence
from sync.engine.retry_policy import (
    BreakerPatience,
    FailureHistory,
    OpenCircuit,
    RetryAt,
    Suspend,
    after_failure,
    next_sync,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MIDDLE = 0.5  # the random number that causes no jitter


def decide(error, **past):
    return after_failure(error, now=NOW, past=FailureHistory(**past), chance=MIDDLE)


def test_a_requested_wait_is_observed_to_the_second():
    decision = decide(errors.ExchangeBusy(retry_after=timedelta(minutes=7)))
    assert decision == RetryAt(NOW + timedelta(minutes=7))


def test_a_mailbox_that_keeps_failing_waits_longer_and_longer_up_to_a_quarter_of_an_hour():
    waits = [decide(errors.ExchangeFailed(), failures=n).at - NOW for n in (0, 1, 2, 50)]
    assert waits == [timedelta(seconds=15), timedelta(seconds=30), timedelta(seconds=60), timedelta(minutes=15)]


def test_an_unreachable_exchange_opens_the_breaker_of_the_connection():
    assert decide(errors.ExchangeUnreachable()) == OpenCircuit(Scope.CONNECTION, NOW + timedelta(seconds=15))


def test_the_time_between_trials_grows_with_the_outage_up_to_four_minutes():
    lengths = [
        decide(errors.ReinferUnreachable(), held_since=NOW - timedelta(minutes=m)).until - NOW for m in (2, 6, 90)
    ]
    assert lengths == [timedelta(minutes=1), timedelta(minutes=3), timedelta(minutes=4)]


def test_a_wait_of_an_hour_that_re_infer_requests_is_observed():
    decision = decide(errors.ReinferBusy(retry_after=timedelta(hours=1)))
    assert decision == OpenCircuit(Scope.DESTINATION, NOW + timedelta(hours=1))


def test_refused_credentials_open_the_breaker_of_the_connection_for_twenty_minutes():
    assert decide(errors.SignInRefused()) == OpenCircuit(Scope.CONNECTION, NOW + timedelta(minutes=20))


def test_a_first_refusal_opens_the_breaker_with_a_trial_of_another_mailbox_at_once():
    assert decide(errors.SignInRefused(), seen=ConnectionEvidence(has_others=True)) == OpenCircuit(
        Scope.CONNECTION, NOW
    )


def test_one_mailbox_that_is_refused_access_waits_alone():
    assert decide(errors.EwsDisabled()) == RetryAt(NOW + timedelta(minutes=20))


def test_the_time_between_trials_of_a_refused_connection_grows_to_twenty_minutes():
    lengths = [
        decide(
            errors.EwsDisabled(), seen=ConnectionEvidence(refused_elsewhere=True), held_since=NOW - timedelta(minutes=m)
        ).until
        - NOW
        for m in (0, 2, 20, 600)
    ]
    assert lengths == [timedelta(seconds=15), timedelta(minutes=1), timedelta(minutes=10), timedelta(minutes=20)]


def test_credentials_that_are_refused_for_days_disable_the_connection():
    decision = decide(errors.SignInRefused(), held_since=NOW - timedelta(days=3))
    assert decision == Suspend(Scope.CONNECTION, "sync_error")


def test_a_mailbox_without_access_is_retried_slowly_and_disabled_after_days():
    assert decide(errors.AccessDenied(), failing_since=NOW) == RetryAt(NOW + timedelta(minutes=20))
    stays = decide(errors.AccessDenied(), failing_since=NOW - timedelta(days=4))
    assert stays == Suspend(Scope.MAILBOX, "sync_error")


def test_a_quota_disables_the_bucket_at_once():
    assert decide(errors.QuotaReached()) == Suspend(Scope.BUCKET, "quota")


def test_the_time_between_trials_is_configurable():
    patience = BreakerPatience(trial_every=timedelta(seconds=5))
    decision = after_failure(errors.SignInRefused(), now=NOW, past=FailureHistory(), chance=MIDDLE, patience=patience)
    assert decision == OpenCircuit(Scope.CONNECTION, NOW + timedelta(seconds=5))


def test_an_unexpected_error_delays_only_the_mailbox():
    assert isinstance(decide(None), RetryAt)


@pytest.mark.parametrize("chance", [0.0, 0.999])
def test_jitter_stays_within_a_tenth(chance):
    due = next_sync(NOW, timedelta(seconds=60), newest=NOW, chance=chance)
    assert timedelta(seconds=54) <= due - NOW <= timedelta(seconds=66)


def test_a_dormant_mailbox_is_synced_less_often():
    due = next_sync(NOW, timedelta(seconds=60), newest=NOW - timedelta(days=8), chance=MIDDLE)
    assert due - NOW == timedelta(minutes=5)


def test_a_long_interval_is_not_shortened_for_a_dormant_mailbox():
    due = next_sync(NOW, timedelta(hours=2), newest=NOW - timedelta(days=8), chance=MIDDLE)
    assert due - NOW == timedelta(hours=2)


def test_every_error_has_a_remedy():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert len(kinds) > 20
    for kind in kinds:
        assert issubclass(kind, errors.IntegrationError), kind
        assert kind.remedy.endswith((".", "!")), kind
        assert "HTTP 500" in str(kind("HTTP 500"))
