"""The comments that Re:infer should contain, computed from the mail in the simulated Exchange.

This module uses only the standard library and no code of the product. Otherwise a bug of the product could also be in the
expectation, and would not be detected.
"""

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
"""Well-known folders whose mail is not wanted if a mailbox has no filter."""


DEEPEST = 101
"""Maximum number of levels of nested parts, including the email itself."""


@dataclass(frozen=True)
class ExpectedItem:
    """An email in a wanted folder."""

    mailbox: str
    folder: str
    subject: str | None
    """Decoded subject; None if the standard library cannot decode it."""
    has_text: bool


@dataclass
class Expectation:
    """The expected comments of one bucket.

    The comment id of an email without a Message-ID cannot be computed without the product. So these emails are only
    counted.
    """

    by_id: dict[str, list[ExpectedItem]] = field(default_factory=dict)
    nameless: Counter[tuple[str, ...]] = field(default_factory=Counter)
    wanted: Counter[str] = field(default_factory=Counter)
    """Number of emails in wanted folders, by mailbox."""
    unreadable: Counter[str] = field(default_factory=Counter)
    """Number of emails with too many levels of nested parts, by mailbox. Only these emails may fail."""

    def add(self, mailbox: str, folder: str, mime: bytes) -> None:
        """Add an email of a mailbox.

        Args:
            mailbox: address
            folder: path of the folder
            mime: bytes of the email
        """
        self.wanted[mailbox] += 1
        message = _read(mime)
        if message is None:
            self.unreadable[mailbox] += 1
            return
        name = " ".join(_raw(message, "Message-ID").split())
        if not name:
            self.nameless[tuple(_raw(message, field) for field in ("Date", "From", "To", "Cc", "Subject"))] += 1
            return
        item = ExpectedItem(mailbox, folder, _decoded(message), _has_text(message))
        self.by_id.setdefault(name.encode("utf-8", "surrogateescape").hex(), []).append(item)


def is_wanted(folder: str, folders: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether a folder is wanted: neither the folder nor a folder above it is in `SKIPPED`.

    Args:
        folder: path
        folders: all folders of the mailbox

    Returns:
        True if the mail of the folder is wanted.
    """
    skipped = {entry["path"] for entry in folders if entry["distinguished"] in SKIPPED}
    parts = folder.split("/")
    return not any("/".join(parts[:end]) in skipped for end in range(1, len(parts) + 1))


def faults(expected: Expectation, comments: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the differences between the expected comments and the comments of a bucket.

    A missing comment is an error even if the product reports a failed email. Otherwise a product that delivers no email
    would pass.

    Args:
        expected: the expected comments
        comments: the comments of the bucket by comment id

    Returns:
        The differences as texts: one text for each kind of difference, and one text for each wrong value of an existing
        comment.
    """
    differences = []
    missing = expected.by_id.keys() - comments.keys()
    if missing:
        differences.append(f"Missing emails ({len(missing)}): {_some(missing)}")
    others = {key: comment for key, comment in comments.items() if key not in expected.by_id}
    surplus = [key for key, comment in others.items() if not _is_nameless(comment)]
    if surplus:
        differences.append(f"{len(surplus)} unexpected comments: {_some(surplus)}")
    nameless = len(others) - len(surplus)
    if nameless != len(expected.nameless):
        differences.append(
            f"{nameless} comments of emails without a Message-ID, but {len(expected.nameless)} emails without one"
        )
    for key, items in expected.by_id.items():
        if key in comments:
            differences += _wrong(key, items, comments[key])
    return differences


def surplus_failed(expected: Expectation, failed: Mapping[str, int]) -> list[str]:
    """Report the mailboxes that have more failed emails than emails with too many levels of nested parts.

    Args:
        expected: the expected comments
        failed: number of failed emails by mailbox

    Returns:
        One sentence for each reported mailbox.
    """
    return [
        f"{mailbox}: {count} emails failed, but only {expected.unreadable[mailbox]} of its emails are nested too deeply"
        for mailbox, count in failed.items()
        if count > expected.unreadable[mailbox]
    ]


def _read(mime: bytes) -> Message | None:
    """Parse an email; return None if its parts are nested too deeply."""
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


def _wrong(key: str, items: list[ExpectedItem], comment: Mapping[str, Any]) -> list[str]:
    properties, message = comment["user_properties"], comment["content"]["messages"][0]
    place = (properties.get("string:Mailbox"), properties.get("string:Folder"))
    differences = []
    if place not in {(item.mailbox, item.folder) for item in items}:
        differences.append(f"{key[:24]}… has mailbox and folder {place}, where the email is not")
    subject = " ".join(message.get("subject", {}).get("text", "").split())
    if items[0].subject is not None and subject not in {" ".join((item.subject or "").split()) for item in items}:
        differences.append(f"{key[:24]}… has another subject than its email")
    if items[0].has_text and not message["body"]["text"].strip():
        differences.append(f"{key[:24]}… has no text, but its email has")
    return differences


def _is_nameless(comment: Mapping[str, Any]) -> bool:
    return bool(comment["user_properties"].get("string:Message ID Origin") == "Generated")


def _raw(message: Message, name: str) -> str:
    """Return the value of the first header of this name that is not blank. Non-ASCII bytes are not decoded."""
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
