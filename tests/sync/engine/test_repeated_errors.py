"""Tests of `sync.engine.repeated_errors`: an invalid request is temporary at first and permanent when it repeats."""

from __future__ import annotations

import pytest

from integrations import errors
from sync.engine.repeated_errors import settled

REJECTED, INVALID = errors.RequestRejected.kind, errors.RequestInvalid.kind


@pytest.mark.parametrize(
    "before", [[], [REJECTED], ["", REJECTED], [REJECTED, ""], [REJECTED, "exchange_busy", REJECTED]]
)
def test_an_invalid_request_counts_as_temporary_once_or_twice(before: list[str]) -> None:
    error = errors.RequestRejected("HTTP 400")
    assert settled(error, before) is error


@pytest.mark.parametrize("before", [[REJECTED, REJECTED], [INVALID, REJECTED], [INVALID, INVALID, ""]])
def test_the_third_invalid_request_in_a_row_is_permanent_with_the_same_detail(before: list[str]) -> None:
    error = settled(errors.RequestRejected("HTTP 400"), before)
    assert type(error) is errors.RequestInvalid
    assert isinstance(error, errors.Refused)
    assert error.evidence is errors.Evidence.RESPONSE
    assert error.detail == "HTTP 400"


def test_other_errors_are_returned_unchanged() -> None:
    error = errors.ExchangeBusy()
    assert settled(error, [REJECTED, REJECTED]) is error
