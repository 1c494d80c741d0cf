"""Parses the MIME of an email as Exchange does: people, headers, text and attachments."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime

from simulators.exchange.store import Mail

NO_CHARACTER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
MAX_KEPT = 16
MAX_HEADERS = 200
"""Maximum number of header fields that are returned."""
_KEPT: OrderedDict[int, tuple[Mail, Contents]] = OrderedDict()
_LOCK = threading.Lock()


@dataclass(frozen=True)
class Attached:
    """An attachment: a file, or an email (`is_item`) with its MIME in `content`."""

    name: str
    content_type: str
    content_id: str
    content: bytes
    inline: bool
    is_item: bool


@dataclass(frozen=True)
class Contents:
    """The parsed contents of an email. Texts contain only characters that XML allows."""

    sender: list[tuple[str, str]]
    """The people in the From header, as (name, address). The other lists of people have the same format."""
    to: list[tuple[str, str]]
    cc: list[tuple[str, str]]
    bcc: list[tuple[str, str]]
    reply_to: list[tuple[str, str]]
    headers: list[tuple[str, str]]
    sent: datetime | None
    in_reply_to: str
    references: str
    body_type: str
    body: str
    attachments: list[Attached]


def contents_of(mail: Mail) -> Contents:
    """The contents of an email. Cached for the last `MAX_KEPT` emails, because clients request an email several times."""
    known = _KEPT.get(id(mail))
    if known is not None and known[0] is mail:
        return known[1]
    found = _read(mail.content())
    with _LOCK:
        _KEPT[id(mail)] = (mail, found)
        while len(_KEPT) > MAX_KEPT:
            _KEPT.popitem(last=False)
    return found


def _read(mime: bytes) -> Contents:
    # The policy `compat32` does not fail on the headers of a broken email.
    message = message_from_bytes(mime, policy=policy.compat32)
    body_type, body = _body(message)
    return Contents(
        sender=_addresses(message, "From"),
        to=_addresses(message, "To"),
        cc=_addresses(message, "Cc"),
        bcc=_addresses(message, "Bcc"),
        reply_to=_addresses(message, "Reply-To"),
        headers=[(name, _decoded(value)) for name, value in message.items()][:MAX_HEADERS],
        sent=_date(str(message.get("Date") or "")),
        in_reply_to=_decoded(message.get("In-Reply-To") or ""),
        references=_decoded(message.get("References") or ""),
        body_type=body_type,
        body=body,
        attachments=[_attached(part) for part in _files(message)],
    )


def _files(message: Message) -> list[Message]:
    """The parts that are attachments. The attachments of an attached email are not included."""
    if message.get_content_type() == "message/rfc822":
        return [message]
    if message.is_multipart():
        parts = message.get_payload()
        return [found for part in parts if isinstance(part, Message) for found in _files(part)]
    is_text = message.get_content_maintype() == "text" and message.get_content_disposition() != "attachment"
    return [] if is_text and not message.get_filename() else [message]


def _attached(part: Message) -> Attached:
    is_item = part.get_content_type() == "message/rfc822"
    inner = part.get_payload(0) if is_item and part.is_multipart() else None
    content = inner.as_bytes() if isinstance(inner, Message) else _payload(part)
    name = _decoded(inner.get("Subject") or "") if isinstance(inner, Message) else _decoded(part.get_filename() or "")
    return Attached(
        name=name,
        content_type=_decoded(part.get_content_type()),
        content_id=_decoded(part.get("Content-ID") or "").strip("<>"),
        content=content,
        inline=part.get_content_disposition() == "inline" or "Content-ID" in part,
        is_item=is_item,
    )


def _body(message: Message) -> tuple[str, str]:
    texts = {"text/html": "", "text/plain": ""}
    for part in message.walk():
        kind = part.get_content_type()
        is_body = part.get_content_disposition() != "attachment" and not part.get_filename()
        if is_body and kind in texts and not texts[kind]:
            texts[kind] = _text(part)
    return ("HTML", texts["text/html"]) if texts["text/html"] else ("Text", texts["text/plain"])


def _text(part: Message) -> str:
    raw = _payload(part)
    try:
        return carried(raw.decode(part.get_content_charset() or "utf-8", "replace"))
    except LookupError:
        return carried(raw.decode("utf-8", "replace"))


def _payload(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _addresses(message: Message, name: str) -> list[tuple[str, str]]:
    values = [str(value) for value in message.get_all(name) or []]
    return [(_decoded(name) or address, carried(address)) for name, address in getaddresses(values) if address]


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC) if moment.year > 1 else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _decoded(value: object) -> str:
    """The text on one line, with encoded words (RFC 2047) decoded."""
    try:
        text = str(make_header(decode_header(str(value))))
    except (HeaderParseError, LookupError, ValueError):
        text = str(value)
    return carried(" ".join(text.split()))


def carried(text: str) -> str:
    """The text without characters that XML does not allow."""
    return NO_CHARACTER.sub("", text)
