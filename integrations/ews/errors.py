"""Translate errors of exchangelib, requests and the NTLM handshake to errors of the product, in one place.

A translated error stores the code that the server sent, even if exchangelib has no class for it. It never stores the text
of the error, because the text can quote an address or a subject. `codes` contains the meaning of the codes.
"""

from __future__ import annotations

import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import requests
from exchangelib.errors import EWSError, UnauthorizedError
from spnego.exceptions import SpnegoError
from urllib3.exceptions import HTTPError

from integrations import errors
from integrations.errors import IntegrationError
from integrations.ews.codes import kind_of
from integrations.ews.responses import code_of
from integrations.network.faults import of_transport, waiting_time

FORMAT_ERRORS = (
    AttributeError, LookupError, TypeError, ValueError, ArithmeticError, RecursionError, SpnegoError, struct.error,
)  # fmt: skip
"""Exceptions of this package, exchangelib and the NTLM handshake for a response that does not follow the schema."""


@contextmanager
def translated_errors() -> Iterator[None]:
    """Translate the errors of a block that uses exchangelib.

    Yields:
        Once, for the block.

    Raises:
        IntegrationError: The translated error. An `IntegrationError` of the block is raised unchanged.
    """
    try:
        yield
    except IntegrationError:
        raise
    except (EWSError, requests.RequestException, HTTPError, OSError) as error:
        raise product_error(error) from error
    except FORMAT_ERRORS as error:
        raise errors.ExchangeFailed("the response does not have the documented format") from error


def product_error(error: Exception) -> IntegrationError:
    """Return the error of the product for an error of a library.

    Args:
        error: Error of exchangelib, requests, urllib3, TLS or a socket.

    Returns:
        The error, with the codes of Exchange and the waiting time that the server requests.
    """
    if isinstance(error, UnauthorizedError):
        return errors.SignInRefused("HTTP 401")
    cause = _transport_cause(error)
    if cause is not None:
        return of_transport(cause)
    code = code_of(error)
    detail = getattr(error, "response_codes", code) or "the response does not have the documented format"
    return kind_of(code)(detail, retry_after=waiting_time(getattr(error, "back_off", None)))


def _transport_cause(error: BaseException) -> BaseException | None:
    """Return the transport error that caused an error, or None. exchangelib links it only as `__context__`."""
    current: BaseException | None = error
    for _ in range(6):
        if current is None:
            return None
        if isinstance(current, requests.RequestException | HTTPError | ssl.SSLError) or (
            isinstance(current, OSError) and not isinstance(current, EWSError)
        ):
            return current
        current = current.__cause__ or current.__context__
    return None
