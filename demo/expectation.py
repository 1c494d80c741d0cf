"""What Re:infer should hold, worked out from what lies in Exchange: with the standard library alone, and never with the
product's own code, so that the two can disagree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from typing import Any

SKIPPED = {
    "drafts", "outbox", "junkemail", "deleteditems", "syncissues", "conflicts", "localfailures", "serverfailures",
    "conversationhistory", "calendar", "contacts", "tasks",
}  # fmt: skip
"""Well-known folders whose mail is not wanted unless somebody asks for it."""


DEEPEST = 101
"""Levels of parts within parts, the email itself included."""


@dataclass(frozen=True)
class Copy:
    """An email as it lies in a wanted folder."""

    mailbox: str
    folder: str
    subject: str | None
    """Decoded; None where the standard library cannot."""
    has_text: bool


@dataclass
class Expectation:
    """Of one bucket. Emails without a Message-ID have no id that anybody could work out from outside; they are counted."""

    by_id: dict[str, list[Copy]] = field(default_factory=dict)
    nameless: Counter[tuple[str, ...]] = field(default_factory=Counter)
    wanted: Counter[str] = field(default_factory=Counter)
    """Emails in wanted folders, by mailbox."""
    unreadable: Counter[str] = field(default_factory=Counter)
    """Of these, by mailbox, such as no program should read: only they may be set aside."""

    def add(self, mailbox: str, folder: str, mime: bytes) -> None:
        self.wanted[mailbox] += 1
        message = _read(mime)
        if message is None:
            self.unreadable[mailbox] += 1
            return
        name = " ".join(_raw(message, "Message-ID").split())
        if not name:
            self.nameless[tuple(_raw(message, field) for field in ("Date", "From", "To", "Cc", "Subject"))] += 1
            return
        copy = Copy(mailbox, folder, _decoded(message), _has_text(message))
        self.by_id.setdefault(name.encode("utf-8", "surrogateescape").hex(), []).append(copy)


def is_wanted(folder: str, folders: Iterable[Mapping[str, Any]]) -> bool:
    """Whether no well-known folder that is skipped lies on the path."""
    skipped = {entry["path"] for entry in folders if entry["distinguished"] in SKIPPED}
    parts = folder.split("/")
    return not any("/".join(parts[:end]) in skipped for end in range(1, len(parts) + 1))


def faults(expected: Expectation, held: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What is missing, surplus or wrong in a bucket, in words. `held` are its comments in full.

    That the product set an email aside excuses nothing: it would excuse a product that sets aside everything.
    """
    found = []
    missing = expected.by_id.keys() - held.keys()
    if missing:
        found.append(f"{len(missing)} emails are missing: {_some(missing)}")
    others = {key: comment for key, comment in held.items() if key not in expected.by_id}
    surplus = [key for key, comment in others.items() if not _is_nameless(comment)]
    if surplus:
        found.append(f"{len(surplus)} comments that nobody expects: {_some(surplus)}")
    nameless = len(others) - len(surplus)
    if nameless != len(expected.nameless):
        found.append(f"{nameless} comments of emails without a Message-ID, of {len(expected.nameless)} such emails")
    for key, copies in expected.by_id.items():
        if key in held:
            found += _wrong(key, copies, held[key])
    return found


def surplus_aside(expected: Expectation, aside: Mapping[str, int]) -> list[str]:
    """The mailboxes in which more emails were set aside than had to be, in words. `aside` are the counts by mailbox."""
    return [
        f"{mailbox}: {count} emails were set aside, and {expected.unreadable[mailbox]} of its emails cannot be read"
        for mailbox, count in aside.items()
        if count > expected.unreadable[mailbox]
    ]


def _read(mime: bytes) -> Message | None:
    """None for parts within parts that go deeper than anybody writes."""
    try:
        message = message_from_bytes(mime)
    except RecursionError:
        return None
    level = [message]
    for _ in range(DEEPEST):
        level = [child for part in level if part.get_content_maintype() == "multipart" for child in _children(part)]
    return message if not level else None


def _children(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [child for child in payload if isinstance(child, Message)] if isinstance(payload, list) else []


def _wrong(key: str, copies: list[Copy], comment: Mapping[str, Any]) -> list[str]:
    properties, message = comment["user_properties"], comment["content"]["messages"][0]
    place = (properties.get("string:Mailbox"), properties.get("string:Folder"))
    found = []
    if place not in {(copy.mailbox, copy.folder) for copy in copies}:
        found.append(f"{key[:24]}… says it lies in {place}, and no copy of it does")
    subject = " ".join(message.get("subject", {}).get("text", "").split())
    if copies[0].subject is not None and subject not in {" ".join((copy.subject or "").split()) for copy in copies}:
        found.append(f"{key[:24]}… has another subject than its email")
    if copies[0].has_text and not message["body"]["text"].strip():
        found.append(f"{key[:24]}… has no text, and its email has")
    return found


def _is_nameless(comment: Mapping[str, Any]) -> bool:
    return bool(comment["user_properties"].get("string:Message ID Origin") == "Generated")


def _raw(message: Message, name: str) -> str:
    """The first header of that name that is not blank; bytes beyond ASCII as they came."""
    for key, value in message.raw_items():
        if key.casefold() == name.casefold() and str(value).strip():
            return str(value).strip()
    return ""


def _decoded(message: Message) -> str | None:
    raw = _raw(message, "Subject")
    try:
        raw.encode("ascii")
        text = str(make_header(decode_header(raw)))
    except (UnicodeError, LookupError, ValueError):
        return None
    return None if any(ord(character) < 32 and character not in "\t\r\n " for character in text) else text


def _has_text(message: Message) -> bool:
    if message.get_content_type() != "text/plain" or message.get_filename() or message.get("Content-Disposition"):
        return False
    payload = message.get_payload(decode=True)
    return isinstance(payload, bytes) and any(65 <= byte <= 122 for byte in payload)


def _some(keys: Iterable[str]) -> str:
    shown = sorted(keys)[:3]
    return ", ".join(f"{key[:40]}…" for key in shown)
