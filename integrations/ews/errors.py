"""What exchangelib, requests and the NTLM handshake raise, translated once into the errors that the product speaks.

A translated error keeps the code that the server gave, also one that exchangelib does not know, and never its text: a text can
quote an address or a subject. What the codes mean: see `codes`.
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

NOT_AS_AGREED = (
    AttributeError, LookupError, TypeError, ValueError, ArithmeticError, RecursionError, SpnegoError, struct.error,
)  # fmt: skip
"""What comes of reading an answer that lacks what the schema promises, here, in exchangelib and in the handshake of NTLM."""


@contextmanager
def translated() -> Iterator[None]:
    """Around every use of exchangelib: what comes out speaks our language. An error that already does passes."""
    try:
        yield
    except IntegrationError:
        raise
    except (EWSError, requests.RequestException, HTTPError, OSError) as error:
        raise translate(error) from error
    except NOT_AS_AGREED as error:
        raise errors.ExchangeFailed("its answer is not as agreed") from error


def translate(error: Exception) -> IntegrationError:
    """The error of ours for an error of a library."""
    if isinstance(error, UnauthorizedError):
        return errors.SignInRefused("HTTP 401")
    cause = _transport_cause(error)
    if cause is not None:
        return of_transport(cause)
    code = code_of(error)
    detail = getattr(error, "told", code) or "its answer is not as agreed"
    return kind_of(code)(detail, retry_after=waiting_time(getattr(error, "back_off", None)))


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
