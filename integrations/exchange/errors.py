"""What exchangelib, requests and the token service raise, translated once into the errors that the product speaks.

A translated error keeps the code that the server gave, never its text: a text can quote an address or a subject.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import requests
from exchangelib.errors import EWSError, UnauthorizedError
from oauthlib.oauth2.rfc6749.errors import MissingTokenError, OAuth2Error, TokenExpiredError
from urllib3.exceptions import HTTPError

from integrations import errors
from integrations.entra.refusals import refusal
from integrations.errors import IntegrationError
from integrations.network.faults import of_transport, waiting_time

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
        return of_transport(cause)
    code = type(error).__name__
    kind = BY_CODE.get(code, errors.ExchangeFailed)
    detail = "build version" if kind is errors.SettingsWrong else code
    return kind(detail, retry_after=waiting_time(getattr(error, "back_off", None)))


def of_token_request(error: Exception) -> IntegrationError:
    """The error of ours for what kept us from asking for a token: it is not Exchange that did not answer."""
    translated = translate(error)
    return errors.TokenEndpointFailed(translated.detail) if isinstance(translated, errors.Transient) else translated


def _of_token_service(error: OAuth2Error) -> IntegrationError:
    if isinstance(error, MissingTokenError):
        return errors.TokenEndpointFailed("it answered without a token")
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and (status >= 500 or status == 429):
        return errors.TokenEndpointFailed(f"HTTP {status}")
    described = str(getattr(error, "description", "") or "")
    return refusal({"error": getattr(error, "error", ""), "error_description": described})


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
