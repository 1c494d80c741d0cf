"""What next, and when."""

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
MIDDLE = 0.5  # no jitter


def decide(error, **past):
    return after_failure(error, now=NOW, past=FailureHistory(**past), chance=MIDDLE)


def test_a_busy_answer_is_obeyed_to_the_second():
    decision = decide(errors.ExchangeBusy(retry_after=timedelta(minutes=7)))
    assert decision == RetryAt(NOW + timedelta(minutes=7))


def test_a_mailbox_that_keeps_failing_waits_longer_and_longer_up_to_a_quarter_of_an_hour():
    waits = [decide(errors.ExchangeFailed(), failures=n).at - NOW for n in (0, 1, 2, 50)]
    assert waits == [timedelta(seconds=15), timedelta(seconds=30), timedelta(seconds=60), timedelta(minutes=15)]


def test_an_unreachable_exchange_holds_the_connection_and_not_each_mailbox():
    assert decide(errors.ExchangeUnreachable()) == OpenCircuit(Scope.CONNECTION, NOW + timedelta(seconds=15))


def test_a_hold_grows_with_the_time_it_lasts_and_is_probed_often_enough_that_all_goes_on_within_five_minutes():
    lengths = [
        decide(errors.ReinferUnreachable(), held_since=NOW - timedelta(minutes=m)).until - NOW for m in (2, 6, 90)
    ]
    assert lengths == [timedelta(minutes=1), timedelta(minutes=3), timedelta(minutes=4)]


def test_re_infer_asking_for_an_hour_gets_an_hour():
    decision = decide(errors.ReinferBusy(retry_after=timedelta(hours=1)))
    assert decision == OpenCircuit(Scope.DESTINATION, NOW + timedelta(hours=1))


def test_refused_credentials_hold_the_connection_for_twenty_minutes():
    assert decide(errors.SignInRefused()) == OpenCircuit(Scope.CONNECTION, NOW + timedelta(minutes=20))


def test_a_first_refusal_holds_the_connection_and_lets_another_mailbox_be_probed_at_once():
    assert decide(errors.SignInRefused(), seen=ConnectionEvidence(has_others=True)) == OpenCircuit(
        Scope.CONNECTION, NOW
    )


def test_one_mailbox_that_is_refused_access_waits_alone():
    assert decide(errors.EwsDisabled()) == RetryAt(NOW + timedelta(minutes=20))


def test_a_connection_that_is_refused_access_is_asked_about_soon_and_then_ever_more_slowly():
    lengths = [
        decide(
            errors.EwsDisabled(), seen=ConnectionEvidence(refused_elsewhere=True), held_since=NOW - timedelta(minutes=m)
        ).until
        - NOW
        for m in (0, 2, 20, 600)
    ]
    assert lengths == [timedelta(seconds=15), timedelta(minutes=1), timedelta(minutes=10), timedelta(minutes=20)]


def test_refused_credentials_that_stay_for_days_disable_the_connection():
    decision = decide(errors.SignInRefused(), held_since=NOW - timedelta(days=3))
    assert decision == Suspend(Scope.CONNECTION, "sync_error")


def test_a_mailbox_that_may_not_be_read_is_tried_again_slowly_and_disabled_only_when_it_stays():
    assert decide(errors.AccessDenied(), failing_since=NOW) == RetryAt(NOW + timedelta(minutes=20))
    stays = decide(errors.AccessDenied(), failing_since=NOW - timedelta(days=4))
    assert stays == Suspend(Scope.MAILBOX, "sync_error")


def test_a_quota_disables_the_bucket_at_once():
    assert decide(errors.QuotaReached()) == Suspend(Scope.BUCKET, "quota")


def test_patience_is_a_setting():
    patience = BreakerPatience(trial_every=timedelta(seconds=5))
    decision = after_failure(errors.SignInRefused(), now=NOW, past=FailureHistory(), chance=MIDDLE, patience=patience)
    assert decision == OpenCircuit(Scope.CONNECTION, NOW + timedelta(seconds=5))


def test_a_fault_of_our_own_delays_the_mailbox_alone():
    assert isinstance(decide(None), RetryAt)


@pytest.mark.parametrize("chance", [0.0, 0.999])
def test_jitter_stays_within_a_tenth(chance):
    due = next_sync(NOW, timedelta(seconds=60), newest=NOW, chance=chance)
    assert timedelta(seconds=54) <= due - NOW <= timedelta(seconds=66)


def test_a_dormant_mailbox_is_looked_at_less_often():
    due = next_sync(NOW, timedelta(seconds=60), newest=NOW - timedelta(days=8), chance=MIDDLE)
    assert due - NOW == timedelta(minutes=5)


def test_a_long_interval_is_not_shortened_for_a_dormant_mailbox():
    due = next_sync(NOW, timedelta(hours=2), newest=NOW - timedelta(days=8), chance=MIDDLE)
    assert due - NOW == timedelta(hours=2)


def test_every_error_says_what_to_do():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert len(kinds) > 20
    for kind in kinds:
        assert kind.remedy.endswith((".", "!")), kind
        assert "HTTP 500" in str(kind("HTTP 500"))
