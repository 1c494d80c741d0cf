"""How an answer of Re:infer is classified by its HTTP status and its JSON envelope, also if these contradict each other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from integrations import errors
from integrations.reinfer.responses import LONGEST_WAIT, ContentRefused, ReinferResponse, payload

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
OK = b'{"status": "ok", "new": 1}'
GATEWAY = b"<html><body><h1>502 Bad Gateway</h1> secret-host-17</body></html>"


def answer(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> ReinferResponse:
    return ReinferResponse(status, headers or {}, body, NOW)


def error(message: object = "it went wrong") -> bytes:
    return json.dumps({"status": "error", "message": message}).encode()


def raised(response: ReinferResponse, *, may_quote_mail: bool = False) -> errors.IntegrationError:
    with pytest.raises(errors.IntegrationError) as caught:
        payload(response, may_quote_mail=may_quote_mail)
    return caught.value


def test_the_payload_of_a_success_is_its_envelope() -> None:
    assert payload(answer(200, OK)) == {"status": "ok", "new": 1}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, error(), errors.ReinferTokenRefused),
        (402, error(), errors.QuotaReached),
        (403, error("The permission sources-add-comments is missing"), errors.ReinferForbidden),
        (403, error("Comment quota hit"), errors.QuotaReached),
        (404, error(), errors.BucketNotFound),
        (405, error(), errors.ReinferRefused),
        (408, error(), errors.ReinferTimedOut),
        (409, error(), errors.ReinferFailed),
        (400, error(), ContentRefused),
        (413, error(), ContentRefused),
        (422, error(), ContentRefused),
        (429, error(), errors.ReinferBusy),
        (500, error(), errors.ReinferFailed),
        (503, error(), errors.ReinferFailed),
        (504, error(), errors.ReinferTimedOut),
    ],
)
def test_each_error_of_reinfer_has_an_error_class(
    status: int, body: bytes, kind: type[errors.IntegrationError]
) -> None:
    assert type(raised(answer(status, body))) is kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, errors.ReinferTokenRefused),
        (413, ContentRefused),
        (429, errors.ReinferBusy),
        (502, errors.ReinferFailed),
        (503, errors.ReinferFailed),
        (504, errors.ReinferTimedOut),
        (400, errors.ReinferUnintelligible),
        (403, errors.ReinferUnintelligible),
        (404, errors.ReinferUnintelligible),
        (422, errors.ReinferUnintelligible),
        (200, errors.ReinferUnintelligible),
    ],
)
def test_a_gateway_error_is_classified_only_for_statuses_that_gateways_send(
    status: int, kind: type[errors.IntegrationError]
) -> None:
    caught_error = raised(answer(status, GATEWAY))
    assert type(caught_error) is kind
    assert caught_error.detail == f"HTTP {status}"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, error()),
        (400, OK),
        (401, OK),
        (403, OK),
        (404, OK),
        (422, OK),
        (200, b""),
        (204, b""),
        (200, b"[]"),
        (200, b"null"),
        (200, b'{"new": 1}'),
        (200, b"\xff\xfe\x00"),
        (200, b"[" * 100_000),
        (200, b"9" * 5_000),
        (301, OK),
        (302, GATEWAY),
        (304, b""),
    ],
)
def test_a_contradictory_or_invalid_answer_is_unintelligible(status: int, body: bytes) -> None:
    assert type(raised(answer(status, body))) is errors.ReinferUnintelligible


def test_a_server_error_that_says_ok_is_a_server_error() -> None:
    assert type(raised(answer(500, OK))) is errors.ReinferFailed


def test_the_message_of_the_server_is_shortened_to_one_line() -> None:
    caught_error = raised(answer(404, error("no\nsuch\x00 thing " + "x" * 5000)))
    assert caught_error.detail.startswith("HTTP 404: no such thing xxx")
    assert len(caught_error.detail) < 320


@pytest.mark.parametrize("message", [None, 5, ["a"], ""])
def test_an_invalid_message_is_left_out(message: object) -> None:
    assert raised(answer(404, error(message))).detail == "HTTP 404"


@pytest.mark.parametrize("status", [403, 404, 409, 422, 500])
def test_a_message_that_may_quote_an_email_is_left_out(status: int) -> None:
    caught_error = raised(answer(status, error("bad text: 'Dear Ann'")), may_quote_mail=True)
    assert caught_error.detail == f"HTTP {status}"
    assert "Ann" not in str(caught_error)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "7"}, timedelta(seconds=7)),
        ({"retry-after": " 0 "}, timedelta()),
        ({"retry-after": "99999999999999999999"}, LONGEST_WAIT),
        ({"retry-after": "Sun, 01 Mar 2026 09:30:30 GMT"}, timedelta(seconds=30)),
        ({"retry-after": "Sun, 01 Mar 2026 09:29:30 GMT"}, timedelta()),
        # The clock of the server is ten minutes fast. The wait is the difference between the two headers.
        (
            {"retry-after": "Sun, 01 Mar 2026 09:40:30 GMT", "date": "Sun, 01 Mar 2026 09:40:00 GMT"},
            timedelta(seconds=30),
        ),
        ({"retry-after": "Fri, 01 Mar 2126 09:40:30 GMT"}, LONGEST_WAIT),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "²"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_as_seconds_and_as_a_date(headers: Mapping[str, str], wait: timedelta | None) -> None:
    assert raised(answer(429, error(), headers)).retry_after == wait
    assert raised(answer(503, GATEWAY, headers)).retry_after == wait
