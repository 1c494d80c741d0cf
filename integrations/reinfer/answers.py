"""What an answer of Re:infer means: its payload, or the error that it stands for.

Re:infer wraps everything in an envelope, `{"status": "ok", …}` with 2xx and `{"status": "error", "message": …}` with
4xx and 5xx. An answer in which the two disagree, or which has no envelope where a gateway would not speak, comes from
something else, and nothing in it is believed. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from integrations.errors import (
    BucketNotFound,
    IntegrationError,
    QuotaReached,
    ReinferBusy,
    ReinferFailed,
    ReinferForbidden,
    ReinferRefused,
    ReinferTimedOut,
    ReinferTokenRefused,
    ReinferUnintelligible,
)
from integrations.reinfer.remote_words import mentions_quota

LONGEST_WAIT = timedelta(days=1)
"""A `Retry-After` beyond it is taken for this: nobody waits a year for a typing error."""

_MESSAGE_CHARS = 300
_CONTENT_REFUSED = (400, 413, 422)


@dataclass(frozen=True, slots=True)
class ReinferAnswer:
    """One HTTP answer, its body decoded and complete; of a refusal, as much as is read."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case."""
    body: bytes = field(repr=False)
    at: datetime
    """When it arrived, by our clock."""
    secret: str = field(default="", repr=False)
    """The token of the request: a server that quotes the request must not bring it into an error."""


class ContentRefused(ReinferRefused):
    """400, 413 or 422: what was sent is the reason. Which part of it, only smaller requests tell."""

    def __init__(self, status: int, message: str, *, with_words: bool) -> None:
        super().__init__(_status_line(status, message if with_words else ""))
        self.status = status
        self.message = message


def payload(answer: ReinferAnswer, *, may_quote_mail: bool = False) -> Mapping[str, Any]:
    """The envelope of a success; raises the error that anything else stands for.

    The server's own words become part of the error, unless the request held mail that they might quote. Only a
    `ContentRefused` keeps them apart, for who can compare them with what was sent.
    """
    envelope = _envelope(answer.body)
    if 200 <= answer.status < 300 and envelope.get("status") == "ok":
        return envelope
    raise _error(answer, envelope, with_words=not may_quote_mail)


def _error(answer: ReinferAnswer, envelope: Mapping[str, Any], *, with_words: bool) -> IntegrationError:
    status, says = answer.status, envelope.get("status")
    message = _message(envelope, answer.secret) if says == "error" else ""
    if says == "ok" and status < 500 and status != 429:
        kind = None
    else:
        kind = _by_status(status) or (_by_envelope(status, message) if says == "error" else None)
    if kind is ContentRefused:
        return ContentRefused(status, message, with_words=with_words)
    words = message if with_words else ""
    return (kind or ReinferUnintelligible)(_status_line(status, words), retry_after=_retry_after(answer))


def _status_line(status: int, words: str) -> str:
    return f"HTTP {status}: {words}" if words else f"HTTP {status}"


def _by_status(status: int) -> type[IntegrationError] | None:
    """Where the status alone is enough, because a gateway in between may be the one that says it."""
    known = {
        401: ReinferTokenRefused,
        402: QuotaReached,
        408: ReinferTimedOut,
        409: ReinferFailed,
        413: ContentRefused,
        429: ReinferBusy,
        504: ReinferTimedOut,
    }
    return known.get(status) or (ReinferFailed if status >= 500 else None)


def _by_envelope(status: int, message: str) -> type[IntegrationError] | None:
    """Where only Re:infer itself is believed."""
    if status == 403:
        return QuotaReached if mentions_quota(message) else ReinferForbidden
    if status == 404:
        return BucketNotFound
    if status in _CONTENT_REFUSED:
        return ContentRefused
    return ReinferRefused if 400 <= status < 500 else None


def _envelope(body: bytes) -> Mapping[str, Any]:
    """The JSON object of a body; empty when it holds none, however deeply nested or broken it is."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _message(envelope: Mapping[str, Any], secret: str) -> str:
    message = envelope.get("message")
    if not isinstance(message, str):
        return ""
    if secret:
        message = message.replace(secret, "[token]")
    in_one_line = " ".join("".join(letter if letter.isprintable() else " " for letter in message[:2000]).split())
    return in_one_line[:_MESSAGE_CHARS]


def _retry_after(answer: ReinferAnswer) -> timedelta | None:
    """`Retry-After` in both of its forms (RFC 9110, 10.2.3): seconds, or a date, which is held against theirs."""
    value = answer.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(timedelta(seconds=int(value[:9])), LONGEST_WAIT)
    until = _date(value)
    if until is None:
        return None
    now = _date(answer.headers.get("date", "")) or answer.at
    return min(max(until - now, timedelta()), LONGEST_WAIT)


def _date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
