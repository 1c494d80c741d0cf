"""Times and numbers in answers of servers. An invalid value is read as None or 0 and raises no error."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from integrations.network.faults import retry_after
from integrations.network.values import LARGEST_NUMBER, parse_time, whole_number


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-03-01T12:00:00", "soon", ""]
)
def test_an_invalid_time_is_none(text: str) -> None:
    assert parse_time(text) is None


def test_a_time_with_a_zone_is_read() -> None:
    assert parse_time("2026-03-01T14:00:00+02:00") == datetime(2026, 3, 1, 12, tzinfo=UTC)


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
def test_an_invalid_number_is_0_and_a_large_one_is_limited_to_32_bits(text: str | None, number: int) -> None:
    assert whole_number(text) == number


@pytest.mark.parametrize("header", ["\xb2", "9" * 5000, "Mon, 01 Jan 99999999999 00:00:00 GMT", "-1", "soon"])
def test_an_invalid_waiting_time_is_none(header: str) -> None:
    assert retry_after(header) is None
