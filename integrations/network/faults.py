"""Convert exceptions of the network to errors of `integrations.errors`."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import requests

from integrations import errors
from integrations.errors import IntegrationError
from integrations.network import remote_words as words
from integrations.network.remote_words import contains_any

LONGEST_WAIT = timedelta(hours=1)
"""Longer waiting times are reduced to this time. A faulty server may send milliseconds instead of seconds."""


def retry_after(header: str | None) -> timedelta | None:
    """Read a Retry-After header (RFC 9110, section 10.2.3).

    Args:
        header: The value of the header, in seconds or as a date; None if the header is absent.

    Returns:
        The time to wait, at most `LONGEST_WAIT`; None if the header is absent, invalid or not a usable time: see
        `waiting_time`.
    """
    if not header:
        return None
    if header.isascii() and header.strip().isdigit():
        return waiting_time(float(header))
    try:
        moment = parsedate_to_datetime(header)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return waiting_time((moment - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def waiting_time(seconds: float | None) -> timedelta | None:
    """Limit the time that a server requests to wait.

    Args:
        seconds: The requested seconds; None if the server requested none.

    Returns:
        The time to wait, at most `LONGEST_WAIT`; None if the value is absent, not positive, or a billion or more.
    """
    if seconds is None or not 0 < seconds < 1e9:
        return None
    return min(timedelta(seconds=seconds), LONGEST_WAIT)


def of_transport(error: BaseException) -> IntegrationError:
    """Return the error for an exception of requests, urllib3, TLS or a socket.

    Args:
        error: The exception.

    Returns:
        The error, which this function does not raise.
    """
    text = _chain_text(error)
    if isinstance(error, requests.Timeout):
        unreachable = isinstance(error, requests.ConnectTimeout)
        return errors.ExchangeUnreachable("no answer") if unreachable else errors.ExchangeTimedOut()
    if contains_any(text, words.UNTRUSTED):
        return errors.CertificateUntrusted(_certificate_problem(text))
    if isinstance(error, requests.exceptions.ProxyError):
        return errors.ExchangeUnreachable("the proxy cannot be reached, or refuses the connection")
    if contains_any(text, words.CUT):
        return errors.ExchangeFailed("the connection was cut")
    if isinstance(error, requests.exceptions.SSLError | ssl.SSLError) or contains_any(text, words.TLS):
        return errors.TlsFailed()
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
        return errors.ExchangeFailed("the answer was cut short or broken")
    for signs, detail in (
        (words.NO_NAME, "its name is not known"),
        (words.CLOSED, "the port is closed"),
        (words.LATE, "no answer"),
        (words.NO_WAY, "there is no route to it"),
    ):
        if contains_any(text, signs):
            return errors.ExchangeUnreachable(detail)
    return errors.ExchangeUnreachable() if isinstance(error, requests.ConnectionError) else errors.ExchangeFailed()


def _certificate_problem(text: str) -> str:
    for signs, detail in (
        (words.UNKNOWN_AUTHORITY, "it is signed by an authority that is not trusted here"),
        (words.EXPIRED, "it has expired"),
        (words.OTHER_NAME, "it is for another name"),
    ):
        if contains_any(text, signs):
            return detail
    return ""


def _chain_text(error: BaseException | None) -> str:
    """Return types and texts of an exception and of up to 7 causes, to search for words in them. Never display the result."""
    parts = []
    for _ in range(8):
        if error is None:
            break
        parts.append(f"{type(error).__name__}: {error}")
        reason = getattr(error, "reason", None)
        error = reason if isinstance(reason, BaseException) else error.__cause__ or error.__context__
    return " | ".join(parts)
