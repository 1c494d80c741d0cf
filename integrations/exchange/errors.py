"""What exchangelib, requests and the token service raise, translated once into the errors that the product speaks.

A translated error keeps the code that the server gave, never its text: a text can quote an address or a subject.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import requests
from exchangelib.errors import EWSError, UnauthorizedError
from oauthlib.oauth2.rfc6749.errors import MissingTokenError, OAuth2Error, TokenExpiredError
from urllib3.exceptions import HTTPError

from integrations import errors
from integrations.errors import IntegrationError

LONGEST_WAIT = timedelta(hours=1)
"""However long a server asks us to wait: it may be wrong by a factor of a thousand."""

BY_CODE: dict[str, type[IntegrationError]] = {
    "ErrorServerBusy": errors.ExchangeBusy,
    "ErrorTooManyObjectsOpened": errors.ExchangeBusy,
    "ErrorExceededConnectionCount": errors.ExchangeBusy,
    "ErrorTimeoutExpired": errors.ExchangeTimedOut,
    "ErrorMailboxMoveInProgress": errors.MailboxMoving,
    "ErrorMailboxStoreUnavailable": errors.MailboxMoving,
    "ErrorMailboxFailover": errors.MailboxMoving,
    "ErrorMailboxHoldNotFound": errors.MailboxMoving,
    "ErrorNonExistentMailbox": errors.MailboxNotFound,
    "ErrorMissingEmailAddress": errors.MailboxNotFound,
    "ErrorInvalidSmtpAddress": errors.MailboxNotFound,
    "ErrorNoRespondingCASInDestinationSite": errors.MailboxMoving,
    "ErrorAccessDenied": errors.AccessDenied,
    "ErrorImpersonateUserDenied": errors.ImpersonationDenied,
    "ErrorImpersonationDenied": errors.ImpersonationDenied,
    "ErrorImpersonationFailed": errors.ImpersonationDenied,
    "ErrorInvalidExchangeImpersonationHeaderData": errors.ImpersonationDenied,
    "ErrorAccountDisabled": errors.SignInRefused,
    "ErrorPasswordExpired": errors.SignInRefused,
    "ErrorPasswordChangeRequired": errors.SignInRefused,
    "ErrorInvalidSyncStateData": errors.CursorRefused,
    "ErrorSyncFolderNotFound": errors.FolderGone,
    "ErrorFolderNotFound": errors.FolderGone,
    "ErrorInvalidServerVersion": errors.SettingsWrong,
    "ErrorIncorrectSchemaVersion": errors.SettingsWrong,
    "ErrorInvalidSchemaVersionForMailboxVersion": errors.SettingsWrong,
}


NOT_AS_AGREED = (AttributeError, LookupError, TypeError, ValueError, ArithmeticError)
"""What comes of reading an answer that lacks what the schema promises, here and in exchangelib."""


@contextmanager
def translated() -> Iterator[None]:
    """Around every use of exchangelib: what comes out speaks our language. An error that already does passes."""
    try:
        yield
    except IntegrationError:
        raise
    except (EWSError, OAuth2Error, requests.RequestException, HTTPError, OSError, TokenExpiredError) as error:
        raise translate(error) from error
    except NOT_AS_AGREED as error:
        raise errors.ExchangeFailed("its answer is not as agreed") from error


def translate(error: Exception) -> IntegrationError:
    """The error of ours for an error of a library."""
    if isinstance(error, UnauthorizedError):
        return errors.SignInRefused("HTTP 401")
    if isinstance(error, OAuth2Error):
        return _of_token_service(error)
    cause = _transport_cause(error)
    if cause is not None:
        return _of_transport(cause)
    code = type(error).__name__
    kind = BY_CODE.get(code, errors.ExchangeFailed)
    detail = "build version" if kind is errors.SettingsWrong else code
    return kind(detail, retry_after=waiting_time(getattr(error, "back_off", None)))


def of_token_request(error: Exception) -> IntegrationError:
    """The error of ours for what kept us from asking for a token: it is not Exchange that did not answer."""
    translated = translate(error)
    return errors.TokenEndpointFailed(translated.detail) if isinstance(translated, errors.Transient) else translated


def retry_after(header: str | None) -> timedelta | None:
    """The header of that name, in seconds or as a date (RFC 9110, section 10.2.3)."""
    if not header:
        return None
    if header.strip().isdigit():
        return waiting_time(float(header))
    try:
        moment = parsedate_to_datetime(header)
    except (ValueError, TypeError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return waiting_time((moment - datetime.now(UTC)).total_seconds())


def waiting_time(seconds: float | None) -> timedelta | None:
    """What a server asks us to wait, within reason. None where it asks nothing, or nonsense."""
    if seconds is None or not 0 < seconds < 1e9:
        return None
    return min(timedelta(seconds=seconds), LONGEST_WAIT)


def _of_token_service(error: OAuth2Error) -> IntegrationError:
    if isinstance(error, MissingTokenError):
        return errors.TokenEndpointFailed("it answered without a token")
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and (status >= 500 or status == 429):
        return errors.TokenEndpointFailed(f"HTTP {status}")
    # Entra's own number tells an admin more than any of our words.
    number = re.search(r"AADSTS\d{4,8}", str(getattr(error, "description", "") or ""))
    name = re.sub(r"[^a-z_]", "", str(getattr(error, "error", "") or ""))[:40]
    return errors.SignInRefused(", ".join(filter(None, [name, number.group() if number else ""])))


def _transport_cause(error: BaseException) -> BaseException | None:
    """The error of the transport behind one of exchangelib, which keeps it only as context."""
    seen: BaseException | None = error
    for _ in range(6):
        if seen is None:
            return None
        if isinstance(seen, requests.RequestException | HTTPError | ssl.SSLError) or (
            isinstance(seen, OSError) and not isinstance(seen, EWSError)
        ):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


def _of_transport(error: BaseException) -> IntegrationError:
    text = _chain_text(error)
    if isinstance(error, requests.Timeout):
        unreachable = isinstance(error, requests.ConnectTimeout)
        return errors.ExchangeUnreachable("no answer") if unreachable else errors.ExchangeTimedOut()
    if "CERTIFICATE_VERIFY_FAILED" in text or "certificate verify failed" in text or "doesn't match" in text:
        return errors.CertificateUntrusted(_certificate_problem(text))
    if isinstance(error, requests.exceptions.ProxyError):
        return errors.ExchangeUnreachable("the proxy does not let us through")
    if "EOF occurred in violation" in text or "ConnectionReset" in text or "RemoteDisconnected" in text:
        return errors.ExchangeFailed("the connection was cut")
    if isinstance(error, requests.exceptions.SSLError | ssl.SSLError) or "SSLError" in text:
        return errors.TlsFailed()
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
        return errors.ExchangeFailed("the answer was cut short or broken")
    for sign, detail in (
        ("NameResolutionError", "its name is not known"),
        ("gaierror", "its name is not known"),
        ("Connection refused", "the port is closed"),
        ("ConnectTimeoutError", "no answer"),
        ("No route to host", "there is no way to it"),
        ("Network is unreachable", "there is no way to it"),
    ):
        if sign in text:
            return errors.ExchangeUnreachable(detail)
    return errors.ExchangeUnreachable() if isinstance(error, requests.ConnectionError) else errors.ExchangeFailed()


def _certificate_problem(text: str) -> str:
    for sign, detail in (
        ("self-signed", "it is signed by an authority that is not trusted here"),
        ("unable to get local issuer", "it is signed by an authority that is not trusted here"),
        ("has expired", "it has expired"),
        ("mismatch", "it is for another name"),
        ("doesn't match", "it is for another name"),
    ):
        if sign in text:
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
