"""Read the error in a response of Exchange: its code as sent by the server, and the requested waiting time.

exchangelib has exception classes for the codes that it lists, and loses any other code. The errors of this module use the
classes of exchangelib and also store the code.
"""

from __future__ import annotations

import re
from typing import Any

from exchangelib import errors as library
from exchangelib.errors import ResponseMessageError
from exchangelib.util import ENS, TNS

from integrations.ews.codes import BY_CODE

CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{1,99}")
"""Format of a code. Values in another format are ignored, because they may quote an address or a subject."""


class RefusedWithCode(ResponseMessageError):
    """Exchange responded without a code, or with a code for which exchangelib has no class."""


def error_for_code(code: str | None, values: Any = None) -> Exception:
    """Return the error of a response message.

    Args:
        code: Code of the response message.
        values: Element MessageXml of the response message, which may contain a more specific code and a waiting time.

    Returns:
        An error with the attributes `response_code` (the more specific code if it is a known one), `response_codes` (all
        codes, separated by commas) and `back_off` (seconds; None if no time is requested).
    """
    outer = _code(code)
    inner = _code(_value(values, "InnerErrorResponseCode"))
    chosen = inner if inner and (inner in BY_CODE or _class_of(inner) is not RefusedWithCode) else outer
    error: Exception = _class_of(chosen)(chosen)
    error.response_code = chosen  # type: ignore[attr-defined]
    error.response_codes = ", ".join(dict.fromkeys(filter(None, (outer, inner))))  # type: ignore[attr-defined]
    error.back_off = back_off(values)  # type: ignore[attr-defined]
    return error


def error_of_fault(fault: Any) -> Exception:
    """Return the error of a SOAP fault.

    Args:
        fault: XML element of the fault.

    Returns:
        An error as from `error_for_code`.
    """
    detail = fault.find("detail")
    code = detail.findtext(f"{{{ENS}}}ResponseCode") if detail is not None else None
    # `faultcode` has a namespace prefix. In a fault of Exchange, `faultcode` contains the same code.
    code = code or (fault.findtext("faultcode") or "").rpartition(":")[2]
    return error_for_code(code if str(code).strip().startswith("Error") else None, detail)


def code_of(error: BaseException) -> str:
    """Return the ResponseCode of Exchange that an error stores.

    Args:
        error: The error.

    Returns:
        The code as sent by the server; for an error that exchangelib raised itself, the name of its class, which is the code;
        blank for any other error.
    """
    code: str | None = getattr(error, "response_code", None)
    if code is None and isinstance(error, ResponseMessageError):
        return type(error).__name__
    return code or ""


def back_off(element: Any) -> float | None:
    """Return the waiting time that a busy server requests, from `BackOffMilliseconds` anywhere in the message.

    Args:
        element: XML element of the message; None for no message.

    Returns:
        Seconds. None if the message has no valid waiting time.
    """
    text = _value(element, "BackOffMilliseconds")
    try:
        return int(text) / 1000 if text else None
    except (ValueError, OverflowError):
        return None


def _value(element: Any, name: str) -> str | None:
    values = element.iter(f"{{{TNS}}}Value") if element is not None else ()
    return next((value.text for value in values if value.get("Name") == name), None)


def _code(text: str | None) -> str:
    return found.group() if (found := CODE.fullmatch((text or "").strip())) else ""


def _class_of(code: str) -> type[ResponseMessageError]:
    known = vars(library).get(code)
    return known if isinstance(known, type) and issubclass(known, ResponseMessageError) else RefusedWithCode
