"""The simulated parser of raw emails. Its rules are simple, because Re:infer does not publish the rules of the real parser.

The comment id is the hex of the Message-ID with its angle brackets, unless the caller gives a comment id. The body is the
plain text, or the text of the HTML, up to 65,536 characters. Quotes and signatures are kept.
"""

from __future__ import annotations

import re
from datetime import UTC
from email import message_from_string, policy
from email.message import EmailMessage, MIMEPart
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from typing import Any

from simulators.reinfer.body_checks import InvalidBody
from simulators.reinfer.comments import JsonObject, write_instant

_MAX_TEXT = 65536
_SKIPPED_TAGS = ("style", "script", "head")


def comment_of_document(document: JsonObject, place: str = "documents") -> dict[str, Any]:
    """The comment of one document of `sync-raw-emails`.

    Raises `InvalidBody` without a comment id and Message-ID, or without a valid Date.
    """
    raw = document["raw_email"]
    headers = _headers(raw["headers"])
    text = raw["body"]["plain"] if "plain" in raw["body"] else _words(raw["body"]["html"])
    return _comment(
        headers,
        text,
        place,
        comment_id=document.get("comment_id"),
        user_properties=document.get("user_properties", {}),
        attachments=raw.get("attachments", []),
    )


def comment_of_email(email: JsonObject, place: str = "emails") -> dict[str, Any]:
    """The comment of an email in a bucket, for a linked source. The comment id is the hex of the email's id."""
    parsed = message_from_string(email["mime_content"], policy=policy.default)
    assert isinstance(parsed, EmailMessage)  # the default policy makes this class
    body = parsed.get_body(("plain", "html"))
    text = _content(body) if body is not None else ""
    folder = (email.get("metadata") or {}).get("folder")
    properties = {"string:Mailbox ID": email["mailbox"], **({"string:Folder": "/".join(folder)} if folder else {})}
    return _comment(
        parsed,
        _words(text) if body is not None and body.get_content_subtype() == "html" else text,
        place,
        comment_id=email["id"].encode().hex(),
        user_properties=properties,
        attachments=email.get("attachments", []),
        timestamp=email["timestamp"],
    )


def _comment(
    headers: EmailMessage,
    text: str,
    place: str,
    *,
    comment_id: str | None,
    user_properties: JsonObject,
    attachments: list[Any],
    timestamp: str | None = None,
) -> dict[str, Any]:
    message_id = _one_line(headers, "Message-ID")
    if comment_id is None and not message_id:
        raise InvalidBody(place, "has neither a comment_id nor a Message-ID")
    first = (_one_line(headers, "References") or _one_line(headers, "In-Reply-To") or message_id).split()
    return {
        "id": comment_id or message_id.encode().hex(),
        "timestamp": timestamp or _sent_at(headers, place),
        **({"thread_id": first[0].encode().hex()[:1024]} if first else {}),
        "messages": [_message(headers, text)],
        "user_properties": dict(user_properties),
        "attachments": attachments,
    }


def _message(headers: EmailMessage, text: str) -> dict[str, Any]:
    subject, sender = _one_line(headers, "Subject"), _one_line(headers, "From")
    people = {key: _people(headers, key) for key in ("to", "cc", "bcc")}
    return {
        "body": {"text": text[:_MAX_TEXT]},
        **({"subject": {"text": subject[:_MAX_TEXT]}} if subject else {}),
        **({"from": sender[:512]} if sender else {}),
        **{key: found for key, found in people.items() if found},
    }


def _headers(headers: JsonObject) -> EmailMessage:
    if "raw" in headers:
        lines = headers["raw"].replace("\r\n", "\n").rstrip("\n")
    else:
        lines = "\n".join(f"{name}: {value}" for name, given in headers["parsed"].items() for value in _each(given))
    parsed = message_from_string(f"{lines}\n\n", policy=policy.default)
    assert isinstance(parsed, EmailMessage)  # the default policy makes this class
    return parsed


def _each(given: Any) -> list[str]:
    return [" ".join(str(value).split()) for value in (given if isinstance(given, list) else [given])]


def _one_line(headers: EmailMessage, name: str) -> str:
    return " ".join(str(headers.get(name, "")).split())


def _people(headers: EmailMessage, name: str) -> list[str]:
    found = headers.get(name)
    return [str(one)[:512] for one in found.addresses] if found is not None else []


def _sent_at(headers: EmailMessage, place: str) -> str:
    try:
        sent = parsedate_to_datetime(_one_line(headers, "Date"))
        return write_instant(sent.replace(tzinfo=UTC) if sent.tzinfo is None else sent.astimezone(UTC)) or ""
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidBody(place, "has no valid Date") from error


def _content(part: MIMEPart) -> str:
    try:
        return str(part.get_content())
    except (LookupError, ValueError):
        return str(part.get_payload())


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SKIPPED_TAGS:
            self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.texts.append(data)


def _words(html: str) -> str:
    reader = _Words()
    reader.feed(html)
    return re.sub(r"\s+", " ", " ".join(reader.texts)).strip()
