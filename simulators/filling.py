"""Puts mail into the mailboxes before anybody looks: a made-up correspondence, or files that lie in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path

from simulators.exchange import Store, correspondence, mail_of, mails_below
from simulators.exchange.correspondence import START

FOLDERS = ("Inbox", "Inbox", "Inbox", "Inbox/Escalated", "Inbox", "Done", "Inbox/Escalated/Legal")
"""Where the made-up emails go, in turn."""


def fill_with_correspondence(store: Store, addresses: Sequence[str], seed: int, count: int) -> None:
    """`count` emails for each mailbox, in a few folders, the same in every run of that seed."""
    for address in addresses:
        mailbox = store[address]
        for folder in dict.fromkeys(FOLDERS):
            mailbox.create_folder(folder)
        for number, written in enumerate(islice(correspondence(address, seed), count)):
            mail = replace(mail_of(written.mime), received=written.received)
            mailbox.deliver(mail, FOLDERS[number % len(FOLDERS)])


def fill_from_files(store: Store, addresses: Sequence[str], folder: Path) -> int:
    """The emails below the folder, dealt to the mailboxes in turn, all into their Inbox. Returns how many."""
    dealt = 0
    for _, mime in mails_below(folder):
        arrived = START + timedelta(seconds=dealt)
        store[addresses[dealt % len(addresses)]].deliver(mail_of(mime, fallback=arrived))
        dealt += 1
    return dealt
