"""What the network does instead of answering, as the errors that the product speaks."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import requests

from integrations import errors
from integrations.errors import IntegrationError
from integrations.network import remote_words as words
from integrations.network.remote_words import has

LONGEST_WAIT = timedelta(hours=1)
"""However long a server asks us to wait: it may be wrong by a factor of a thousand."""


def retry_after(header: str | None) -> timedelta | None:
    """The header of that name, in seconds or as a date (RFC 9110, section 10.2.3)."""
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
    """What a server asks us to wait, within reason. None where it asks nothing, or nonsense."""
    if seconds is None or not 0 < seconds < 1e9:
        return None
    return min(timedelta(seconds=seconds), LONGEST_WAIT)


def of_transport(error: BaseException) -> IntegrationError:
    """The error of ours for what requests, urllib3, TLS or a socket raised."""
    text = _chain_text(error)
    if isinstance(error, requests.Timeout):
        unreachable = isinstance(error, requests.ConnectTimeout)
        return errors.ExchangeUnreachable("no answer") if unreachable else errors.ExchangeTimedOut()
    if has(text, words.UNTRUSTED):
        return errors.CertificateUntrusted(_certificate_problem(text))
    if isinstance(error, requests.exceptions.ProxyError):
        return errors.ExchangeUnreachable("the proxy does not let us through")
    if has(text, words.CUT):
        return errors.ExchangeFailed("the connection was cut")
    if isinstance(error, requests.exceptions.SSLError | ssl.SSLError) or has(text, words.TLS):
        return errors.TlsFailed()
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
        return errors.ExchangeFailed("the answer was cut short or broken")
    for signs, detail in (
        (words.NO_NAME, "its name is not known"),
        (words.CLOSED, "the port is closed"),
        (words.LATE, "no answer"),
        (words.NO_WAY, "there is no way to it"),
    ):
        if has(text, signs):
            return errors.ExchangeUnreachable(detail)
    return errors.ExchangeUnreachable() if isinstance(error, requests.ConnectionError) else errors.ExchangeFailed()


def _certificate_problem(text: str) -> str:
    for signs, detail in (
        (words.UNKNOWN_AUTHORITY, "it is signed by an authority that is not trusted here"),
        (words.EXPIRED, "it has expired"),
        (words.OTHER_NAME, "it is for another name"),
    ):
        if has(text, signs):
            return detail
    return ""


def _chain_text(error: BaseException | None) -> str:
    """Types and texts of an error and what is behind it, to look for signs in; never shown to anybody."""
    parts = []
    for _ in range(8):
        if error is None:
            break
        parts.append(f"{type(error).__name__}: {error}")
        reason = getattr(error, "reason", None)
        error = reason if isinstance(reason, BaseException) else error.__cause__ or error.__context__
    return " | ".join(parts)
