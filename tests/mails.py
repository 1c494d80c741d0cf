"""Make the MIME content of emails for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime

from integrations.messages import CommentId

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def mail(
    name: str,
    *,
    subject: str | None = None,
    body: str | None = None,
    sender: str = "Ann Field <ann@north.example>",
    to: str = "desk@bank.example",
    sent: datetime | None = NOON,
    message_id: str | None = "",
) -> bytes:
    """Return the MIME content of an email.

    The Message-ID is `<name@north.example>`, or `message_id` if given. `message_id=None` omits the header.
    """
    message = EmailMessage()
    message["From"], message["To"] = sender, to
    message["Subject"] = subject if subject is not None else f"About {name}"
    if sent is not None:
        message["Date"] = format_datetime(sent)
    if message_id is not None:
        message["Message-ID"] = message_id or message_id_of(name)
    message.set_content(body if body is not None else f"Could you look at {name}, please?")
    return message.as_bytes()


def message_id_of(name: str) -> str:
    return f"<{name}@north.example>"


def comment_id_of(name: str) -> CommentId:
    return CommentId(message_id_of(name).encode().hex())


def received(mime: bytes) -> bytes:
    """Add the `Received` header that a server adds when it receives an email (RFC 5321 §4.4)."""
    return b"Received: from north.example by bank.example; Sun, 1 Mar 2026 12:00:00 +0000\n" + mime
