"""Changes in the simulated mailboxes while the demo runs: emails arrive and are moved."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import count

from demo.exchange import Control

SUBJECTS = (
    "Trade {n} unmatched",
    "Statement for account {n}",
    "Payment {n} rejected",
    "KYC documents for {n}",
    "Rückfrage {n}",
)
BODIES = (
    "Could you look at this, please?\n\nKind regards\nAnn Field",
    "We have not heard from you since yesterday.\n\n-- \nNorth Trading Ltd",
    "Bitte um kurze Rückmeldung.\n\nDanke\nJörg",
    "The amount is wrong again: 12,400.00 instead of 14,200.00 EUR.",
)
PEOPLE = (
    "Ann Field <ann.field@north.example>",
    "Chloé Martin <chloe@ouest.example>",
    "Łukasz Nowak <lukasz@wschod.example>",
)


@dataclass
class Life:
    """Changes one mailbox at each step: an email arrives or moves."""

    control: Control
    addresses: list[str]
    chance: random.Random = field(default_factory=random.Random)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def step(self) -> None:
        """In a random mailbox, let one email arrive (70 % of the steps) or move (30 %).

        An email moves from the Inbox to a folder that is not a well-known folder. If there is no such email or folder,
        nothing is moved.
        """
        address = self.chance.choice(self.addresses)
        if self.chance.random() < 0.3:
            self._move(address)
        else:
            self._arrive(address)

    def _arrive(self, address: str) -> None:
        number = next(self._numbers)
        subject = self.chance.choice(SUBJECTS).format(n=self.chance.randint(1000, 9999))
        head = [
            f"From: {self.chance.choice(PEOPLE)}",
            f"To: {address}",
            f"Subject: {subject}",
            f"Date: {format_datetime(datetime.now(UTC))}",
            f"Message-ID: <live.{number}.{self.chance.getrandbits(48):x}@north.example>",
            "MIME-Version: 1.0",
            'Content-Type: text/plain; charset="utf-8"',
            "Content-Transfer-Encoding: 8bit",
        ]
        mime = "\r\n".join([*head, "", self.chance.choice(BODIES)]).encode()
        self.control.post("deliver", mailbox=address, folder="Inbox", mime=base64.b64encode(mime).decode())

    def _move(self, address: str) -> None:
        mailbox = self.control.get(f"mailboxes/{address}")
        inbox = [item for item in mailbox["items"] if item["folder"] == "Inbox"]
        folders = [folder["path"] for folder in mailbox["folders"] if not folder["distinguished"]]
        if inbox and folders:
            item = self.chance.choice(inbox)
            self.control.post("move", mailbox=address, id=item["id"], folder=self.chance.choice(folders))
