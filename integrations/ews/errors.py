"""Translate errors of exchangelib, of the network and of the NTLM handshake to errors of the product.

A translated error stores the code that the server sent, even if exchangelib has no class for this code. It never stores the
text of the original error, because the text can quote an address or a subject. `codes` maps the codes to errors.
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
        The error of the product. For an error response of Exchange, the error has the codes and the requested waiting time.
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
    """Return the first transport error among an error, its causes and its contexts (exchangelib sets no cause), or None."""
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
