"""The mailboxes that every third-party client reads, and the expected results."""

from __future__ import annotations

import base64
import itertools
from email import message_from_bytes, policy
from typing import Any

from simulators.exchange import Store, correspondence, mail_of
from simulators.exchange.store import Mailbox
from tests.mails import mail

DESK = "desk@bank.example"
OPS = "ops@bank.example"
NOBODY = "nobody@bank.example"
FOLDERS = ("Inbox/Trades", "Inbox/Trades/2026 <older>&newer", "Grüße", "Empty")


def filled() -> Store:
    """Return a store with two mailboxes that have nested folders, emails with attachments, and some unusual emails."""
    store = Store([DESK, OPS])
    for seed, mailbox in enumerate(store):
        for path in FOLDERS:
            mailbox.create_folder(path)
        places = itertools.cycle(("Inbox", "Inbox", "Sent Items", *FOLDERS[:3]))
        for written, path in zip(itertools.islice(correspondence(mailbox.address, seed), 40), places, strict=False):
            item = mailbox.deliver(mail_of(written.mime), path)
            mailbox.mark_read(item.id, read=bool(len(written.mime) % 2))
        mailbox.deliver(mail_of(mail("bare", subject="", message_id=None)))
        mailbox.deliver(mail_of(mail("quoted", subject='A & B < C "quoted" 日本語 \N{GRINNING FACE}')))
        mailbox.deliver(mail_of(mail("big", body="All work and no play.\n" * 20_000)), "Inbox/Trades")
    return store


def folders_of(mailbox: Mailbox) -> dict[str, int]:
    """Return the number of emails in each mail folder, by path."""
    with mailbox.lock:
        mail_folders = [folder for folder in mailbox.folders.values() if folder.folder_class == "IPF.Note"]
        return {mailbox.path(folder): len(folder.items) for folder in mail_folders}


def emails_of(mailbox: Mailbox) -> list[dict[str, Any]]:
    """Return all emails as a client must return them, sorted by folder and MIME."""
    with mailbox.lock:
        emails = [
            {
                "folder": mailbox.path(mailbox.folders[item.folder_id]),
                "subject": item.mail.subject,
                "message_id": item.mail.message_id,
                "read": item.read,
                "mime": base64.b64encode(item.mail.content()).decode(),
                "attachments": attachments_of(item.mail.content()),
            }
            for item in mailbox.items()
        ]
    return in_order(emails)


def in_order(emails: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(emails, key=lambda email: (email["folder"], email["mime"]))


def attachments_of(mime: bytes) -> dict[str, str]:
    """Return the content (Base64) of each attached file, by name."""
    message = message_from_bytes(mime, policy=policy.default)
    parts: list[Any] = [part for part in message.walk() if part.get_filename()]
    return {part.get_filename(): base64.b64encode(part.get_payload(decode=True)).decode() for part in parts}
