"""Recipients and headers of an email as JSON."""

from __future__ import annotations

import contextlib
from email import policy
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import getaddresses
from typing import Any

from simulators.exchange.store import Mail

HEADERS = BytesHeaderParser(policy=policy.compat32)
LONGEST = 256 * 1024


def headers_of(mail: Mail) -> Message:
    return HEADERS.parsebytes(mail.content()[:LONGEST])


def recipients(headers: Message, name: str) -> list[dict[str, Any]]:
    texts = [str(value) for value in headers.get_all(name) or []]
    return [
        {"emailAddress": {"name": readable(person) or address, "address": address}}
        for person, address in getaddresses(texts)
        if address
    ]


def header_list(headers: Message) -> list[dict[str, str]]:
    return [{"name": name, "value": readable(str(value))} for name, value in headers.items()]


def readable(text: str) -> str:
    """The text on one line, with encoded words (RFC 2047) decoded. A character that UTF-8 cannot encode becomes `?`."""
    with contextlib.suppress(HeaderParseError, LookupError, ValueError):
        text = str(make_header(decode_header(text)))
    return " ".join(text.split()).encode("utf-8", "replace").decode()
