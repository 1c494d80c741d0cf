"""An invalid request is a passing trouble until it repeats."""

from __future__ import annotations

import pytest

from integrations import errors
from sync.engine.repeated_errors import settled

REJECTED, INVALID = errors.RequestRejected.kind, errors.RequestInvalid.kind


@pytest.mark.parametrize(
    "before", [[], [REJECTED], ["", REJECTED], [REJECTED, ""], [REJECTED, "exchange_busy", REJECTED]]
)
def test_once_or_twice_it_may_pass(before: list[str]) -> None:
    error = errors.RequestRejected("HTTP 400")
    assert settled(error, before) is error


@pytest.mark.parametrize("before", [[REJECTED, REJECTED], [INVALID, REJECTED], [INVALID, INVALID, ""]])
def test_three_times_in_a_row_it_stays_and_says_the_same_detail(before: list[str]) -> None:
    error = settled(errors.RequestRejected("HTTP 400"), before)
    assert type(error) is errors.RequestInvalid
    assert isinstance(error, errors.Refused)
    assert error.evidence is errors.Evidence.RESPONSE
    assert error.detail == "HTTP 400"


def test_other_errors_are_what_they_are() -> None:
    error = errors.ExchangeBusy()
    assert settled(error, [REJECTED, REJECTED]) is error
