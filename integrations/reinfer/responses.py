"""Interpret responses of Re:infer: return the payload, or raise the error for the response.

Re:infer wraps each response in an envelope: `{"status": "ok", …}` with 2xx, and `{"status": "error", "message": …}`
with 4xx and 5xx. A response whose envelope and HTTP status disagree comes from another system, such as a gateway, and
is not trusted, except with 429 and 5xx. Without an envelope, the status alone is trusted if it is in `_by_status`:
gateways send these statuses, too. No I/O.
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
"""Upper bound of `Retry-After`, so that a typing error of the server does not pause pushes for a year."""

_MESSAGE_CHARS = 300
_CONTENT_REFUSED = (400, 413, 422)


@dataclass(frozen=True, slots=True)
class ReinferResponse:
    """One HTTP response with its decompressed body. The body of an error may be truncated.

    Attributes:
        status: HTTP status.
        headers: Headers by lower-case name.
        body: Decompressed body.
        at: Time at which the response arrived, by the local clock, in UTC.
        secret: Token of the request, which is removed from the message in case the server quotes the request.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    at: datetime
    secret: str = field(default="", repr=False)


class ContentRefused(ReinferRefused):
    """Re:infer rejects the content of a request, with 400, 413 or 422. Smaller requests show which part it rejects."""

    def __init__(self, status: int, message: str, *, with_message: bool) -> None:
        """Store status and message.

        Args:
            status: HTTP status.
            message: Message of the server; blank if it sent none.
            with_message: Whether the message becomes part of the error text.
        """
        super().__init__(_status_line(status, message if with_message else ""))
        self.status = status
        self.message = message


def payload(response: ReinferResponse, *, may_quote_mail: bool = False) -> Mapping[str, Any]:
    """Return the envelope of a successful response.

    Args:
        response: The response.
        may_quote_mail: Whether the request contained mail that the message of the server might quote. If so, the
            message does not become part of the error text. A `ContentRefused` still contains it, for a caller that
            compares it with the mail.

    Returns:
        The JSON object of the response.

    Raises:
        IntegrationError: The error for the response.
    """
    envelope = _envelope(response.body)
    if 200 <= response.status < 300 and envelope.get("status") == "ok":
        return envelope
    raise _error(response, envelope, with_message=not may_quote_mail)


def _error(response: ReinferResponse, envelope: Mapping[str, Any], *, with_message: bool) -> IntegrationError:
    status, envelope_status = response.status, envelope.get("status")
    message = _message(envelope, response.secret) if envelope_status == "error" else ""
    if envelope_status == "ok" and status < 500 and status != 429:
        kind = None
    else:
        kind = _by_status(status) or (_by_envelope(status, message) if envelope_status == "error" else None)
    if kind is ContentRefused:
        return ContentRefused(status, message, with_message=with_message)
    shown = message if with_message else ""
    return (kind or ReinferUnintelligible)(_status_line(status, shown), retry_after=_retry_after(response))


def _status_line(status: int, message: str) -> str:
    return f"HTTP {status}: {message}" if message else f"HTTP {status}"


def _by_status(status: int) -> type[IntegrationError] | None:
    """Return the error for a status that does not require an envelope, because gateways may send it, too."""
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
    """Return the error for a status that is trusted only with an envelope of Re:infer."""
    if status == 403:
        return QuotaReached if mentions_quota(message) else ReinferForbidden
    if status == 404:
        return BucketNotFound
    if status in _CONTENT_REFUSED:
        return ContentRefused
    return ReinferRefused if 400 <= status < 500 else None


def _envelope(body: bytes) -> Mapping[str, Any]:
    """Return the JSON object of a body. Empty where the body is not a JSON object, or is nested too deeply."""
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
    one_line = " ".join("".join(char if char.isprintable() else " " for char in message[:2000]).split())
    return one_line[:_MESSAGE_CHARS]


def _retry_after(response: ReinferResponse) -> timedelta | None:
    """Return the waiting time in the `Retry-After` header (RFC 9110, section 10.2.3). None if it is missing or invalid.

    The header contains seconds, or a date, which is compared with the `Date` header or else with the time of arrival.
    """
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(timedelta(seconds=int(value[:9])), LONGEST_WAIT)
    until = _date(value)
    if until is None:
        return None
    now = _date(response.headers.get("date", "")) or response.at
    return min(max(until - now, timedelta()), LONGEST_WAIT)


def _date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
