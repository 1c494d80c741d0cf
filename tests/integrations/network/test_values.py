"""Times and numbers of servers: what cannot be one is none, and never an error."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from integrations.network.faults import retry_after
from integrations.network.values import LARGEST_NUMBER, moment, whole_number


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-03-01T12:00:00", "soon", ""]
)
def test_what_is_no_time_in_utc_is_none(text: str) -> None:
    assert moment(text) is None


def test_a_time_with_its_zone_is_that_time() -> None:
    assert moment("2026-03-01T14:00:00+02:00") == datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("512", 512),
        ("\xb2", 0),
        ("-1", 0),
        ("", 0),
        (None, 0),
        ("9" * 5000, LARGEST_NUMBER),
        (str(2**31), LARGEST_NUMBER),
    ],
)
def test_a_number_is_one_of_32_bits_or_none(text: str | None, number: int) -> None:
    assert whole_number(text) == number


@pytest.mark.parametrize("header", ["\xb2", "9" * 5000, "Mon, 01 Jan 99999999999 00:00:00 GMT", "-1", "soon"])
def test_a_waiting_time_that_is_none_is_not_obeyed(header: str) -> None:
    assert retry_after(header) is None
