"""Fills the mailboxes when the simulators start: with a generated correspondence, with mail files, or both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path

from simulators.exchange import Store, correspondence, mail_of, mails_below
from simulators.exchange.correspondence import START

FOLDERS = ("Inbox", "Inbox", "Inbox", "Inbox/Escalated", "Inbox", "Done", "Inbox/Escalated/Legal")
"""The folders of the generated emails, in rotation."""


def fill_with_correspondence(store: Store, addresses: Sequence[str], seed: int, count: int) -> None:
    """Deliver `count` generated emails to each mailbox. The same seed generates the same emails."""
    for address in addresses:
        mailbox = store[address]
        for folder in dict.fromkeys(FOLDERS):
            mailbox.create_folder(folder)
        for number, written in enumerate(islice(correspondence(address, seed), count)):
            mail = replace(mail_of(written.mime), received=written.received)
            mailbox.deliver(mail, FOLDERS[number % len(FOLDERS)])


def fill_from_files(store: Store, addresses: Sequence[str], folder: Path) -> int:
    """Distribute the emails below the folder to the Inboxes of these addresses, in rotation. Returns the number of emails."""
    delivered = 0
    for _, mime in mails_below(folder):
        arrived = START + timedelta(seconds=delivered)
        store[addresses[delivered % len(addresses)]].deliver(mail_of(mime, fallback=arrived))
        delivered += 1
    return delivered
