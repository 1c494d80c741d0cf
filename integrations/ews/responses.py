"""What a response of Exchange that is none says: its code as the server sent it, and how long it asks us to wait.

exchangelib has a class for each code that it knows, and drops the code where it knows none. Its classes are kept, and each
error bears the code.
"""

from __future__ import annotations

import re
from typing import Any

from exchangelib import errors as library
from exchangelib.errors import ResponseMessageError
from exchangelib.util import ENS, TNS

from integrations.ews.codes import BY_CODE

CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{1,99}")
"""What can be a code. Anything else could be a text, and quote an address or a subject."""


class RefusedWithCode(ResponseMessageError):
    """Exchange answered with a code that exchangelib does not know, or with none."""


def coded(code: str | None, values: Any = None) -> Exception:
    """The error of a response. `values`: its MessageXml, which may hold a more specific code and a hint when to come back."""
    told = _code(code)
    inner = _code(_value(values, "InnerErrorResponseCode"))
    chosen = inner if inner and (inner in BY_CODE or _class_of(inner) is not RefusedWithCode) else told
    error: Exception = _class_of(chosen)(chosen)
    error.response_code = chosen  # type: ignore[attr-defined]
    error.told = ", ".join(dict.fromkeys(filter(None, (told, inner))))  # type: ignore[attr-defined]
    error.back_off = back_off(values)  # type: ignore[attr-defined]
    return error


def of_fault(fault: Any) -> Exception:
    """The error that a SOAP fault tells."""
    detail = fault.find("detail")
    code = detail.findtext(f"{{{ENS}}}ResponseCode") if detail is not None else None
    # The fault has a code of its own, behind a prefix: the same one, where Exchange is the one that answers.
    code = code or (fault.findtext("faultcode") or "").rpartition(":")[2]
    return coded(code if str(code).strip().startswith("Error") else None, detail)


def code_of(error: BaseException) -> str:
    """The ResponseCode of Exchange behind an error, as the server sent it. Blank where it sent none."""
    told: str | None = getattr(error, "response_code", None)
    if told is None and isinstance(error, ResponseMessageError):
        return type(error).__name__
    return told or ""


def back_off(element: Any) -> float | None:
    """Seconds that a busy server asks for, in whichever value of the message it says so. None where it asks nothing."""
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
