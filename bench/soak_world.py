"""Process of the soak test with the simulators: Exchange with changing mailboxes, Re:infer, and a receiver of webhooks.

It is a separate process, so that the memory of the simulators is not measured. The arguments of
`python -m bench.soak_world 200 0.01 1` are the number of mailboxes, the share of requests that fail, and the seed. The process
reads commands, one line of JSON each, and writes one line of JSON for each command.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta
from random import Random
from typing import Any

from bench.account import PASSWORD, USERNAME
from simulators.exchange import Account, ExchangeSimulator, Store, mail_of
from simulators.exchange.store import Item, Mailbox
from simulators.faults import Faults, Rule
from simulators.http import HttpServer, Request, Response
from simulators.reinfer import DEFAULT_TOKEN, ReinferSimulator
from simulators.reinfer.effects import Effect, make_effect
from simulators.reinfer.fault_script import FaultScript
from simulators.reinfer.routes import Call
from tests.faults.ends import EwsEnd
from tests.faults.trouble import AT_REINFER, SLOW

BUCKETS = 5
FOLDERS = ("Inbox", "Inbox/Trades", "Archive", "Deleted Items")
LASTING = {"unauthorized", "disabled", "quota", "token-revoked", "forbidden", "redirect", "ok-as-error"}
"""Faults that open the circuit breaker of a whole connection or bucket, or disable mailboxes.

With too many of these faults, no mailbox would sync.
"""
SELDOM = 0.01
"""Share of the faults of Exchange that refuse the sign-in or disable EWS. These faults can open the connection's circuit
breaker.
"""
PASSING_EXCHANGE = [(effect, options) for effect, options in EwsEnd.effects if effect not in SLOW | LASTING]
PASSING_REINFER = [(effect, options) for effect, options in AT_REINFER if effect not in SLOW | LASTING]


UNREADABLE = 0.005
"""Share of the emails that Exchange cannot return at the first two attempts, so that they become dead letters for a while."""


class RandomFaults(Faults):
    """Faults of the simulated Exchange: a share of all requests fails at random."""

    def __init__(self, random: Random, part: float) -> None:
        super().__init__()
        self.random, self.part, self.met = random, part, 0

    def matching_rule(self, operation: str, mailbox: str, **given: Any) -> Rule | None:
        if self.random.random() >= self.part:
            return super().matching_rule(operation, mailbox, **given)
        self.met += 1
        if self.random.random() < SELDOM:
            return Rule(*self.random.choice([("unauthorized",), ("disabled",)]))
        effect, options = self.random.choice(PASSING_EXCHANGE)
        return Rule(effect, options=options)


class RandomScript(FaultScript):
    """Faults of the simulated Re:infer: a share of all requests fails at random."""

    def __init__(self, random: Random, part: float) -> None:
        super().__init__()
        self.random, self.part, self.met = random, part, 0

    def effect_on(self, call: Call, request: Request) -> Effect | None:
        if self.random.random() >= self.part:
            return super().effect_on(call, request)
        self.met += 1
        return make_effect(*self.random.choice(PASSING_REINFER))


class Life:
    """Changes in the simulated mailboxes: emails arrive, move and are marked as read."""

    def __init__(self, store: Store, random: Random, faults: Faults) -> None:
        self.store, self.random, self.faults = store, random, faults
        self.boxes: list[Mailbox] = list(store)
        self.emails = 0
        for box in self.boxes:
            box.create_folder("Inbox/Trades")
            box.create_folder("Archive")

    def advance(self, now: datetime, arrivals: int) -> None:
        """Let emails arrive. Move some of the emails in the inboxes, and mark some as read."""
        for _ in range(arrivals):
            self._arrive(now - timedelta(seconds=self.random.randint(0, 60)))
        for _ in range(arrivals // 4):
            self._move()
        for _ in range(arrivals // 20):
            box, item = self._item()
            if item is not None:
                box.mark_read(item.id)

    def wanted(self) -> set[tuple[int, str]]:
        """Return bucket number and Message-ID of each email in a folder that is synced."""
        return {
            (number % BUCKETS, item.mail.message_id)
            for number, box in enumerate(self.boxes)
            for item in box.items()
            if box.folders[item.folder_id].distinguished != "deleteditems"
        }

    def _arrive(self, now: datetime) -> None:
        self.emails += 1
        message_id = f"<{self.emails}@north.example>"
        copies = 1 if self.random.random() < 0.8 else self.random.randint(2, 4)
        boxes = self.random.sample(self.boxes, min(copies, len(self.boxes)))
        mail = mail_of(_mime(self.emails, message_id, ", ".join(box.address for box in boxes), now))
        mail.received = now
        if self.random.random() < UNREADABLE:
            self.faults.add("item", message_id=message_id, code="ErrorMimeContentConversionFailed", times=2)
        for box in boxes:
            box.deliver(mail, self.random.choice(["Inbox", "Inbox", "Inbox/Trades"]))

    def _move(self) -> None:
        box, item = self._item()
        if item is not None:
            box.move(item.id, self.random.choice(FOLDERS))

    def _item(self) -> tuple[Mailbox, Item | None]:
        box = self.random.choice(self.boxes)
        items = list(box.folder("Inbox").items.values())
        return box, self.random.choice(items) if items else None


def _mime(number: int, message_id: str, to: str, sent: datetime) -> bytes:
    text = "Could you look at this, please?\r\n" * 20
    return (
        f"From: Ann <ann{number % 97}@north.example>\r\nTo: {to}\r\nSubject: Trade {number}\r\n"
        f"Date: {sent:%a, %d %b %Y %H:%M:%S} +0000\r\nMessage-ID: {message_id}\r\n\r\n{text}"
    ).encode()


def main() -> None:
    count, part, seed = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    random = Random(seed)
    store = Store(f"desk{number}@bank.example" for number in range(count))
    faults, script = RandomFaults(random, 0.0), RandomScript(random, 0.0)
    life = Life(store, random, faults)
    sources = [("bank", f"desks{number}") for number in range(BUCKETS)]
    exchange = ExchangeSimulator(store, accounts=[Account(USERNAME, PASSWORD)])
    reinfer = ReinferSimulator(projects=["bank"], sources=sources)
    exchange.faults, reinfer.faults = faults, script
    hook = HttpServer(lambda request: Response(200, b"{}"))
    with exchange, reinfer, hook:
        addresses = {
            "exchange": exchange.url(), "ca": exchange.ca, "reinfer": reinfer.url, "token": DEFAULT_TOKEN, "hook": hook.url,
            "buckets": sources, "mailboxes": [box.address for box in life.boxes],
        }  # fmt: skip
        print(json.dumps(addresses), flush=True)
        for line in sys.stdin:
            command = json.loads(line)
            faults.part = script.part = part if command["misbehave"] else 0.0
            life.advance(datetime.fromisoformat(command["now"]), command["arrivals"])
            counted = _counted(life, exchange, reinfer, faults.met + script.met) if command["count"] else {}
            print(json.dumps(counted), flush=True)


def _counted(life: Life, exchange: ExchangeSimulator, reinfer: ReinferSimulator, met: int) -> dict[str, Any]:
    comments = [
        (number, bytes.fromhex(comment).decode())
        for number, source in enumerate(reinfer.sources.values())
        for comment in list(source.comments)
    ]
    return {
        "emails": life.emails,
        "comments": len(comments),
        "missing": len(life.wanted() - set(comments)),
        "ai_units": reinfer.ai_units,
        "text_changes": sum(source.text_changes + source.messages_changed for source in reinfer.sources.values()),
        "requests": len(exchange.requests) + len(reinfer.requests),
        "faults": met,
    }


if __name__ == "__main__":
    main()
