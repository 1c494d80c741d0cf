"""Process with a large mailbox in the simulators. The content of an email is generated when it is requested.

`python -m bench.mailbox 20000 20` serves 20,000 small and 20 large emails, and prints the URLs and secrets of the simulators as
JSON. The process ends when its standard input is closed.
"""

from __future__ import annotations

import base64
import json
import random
import sys
from datetime import UTC, datetime, timedelta
from functools import partial

from bench.account import ADDRESS, PASSWORD, USERNAME
from simulators.exchange import Account, ExchangeSimulator, Mail, Store
from simulators.graph import GraphSimulator, Registration
from simulators.reinfer import DEFAULT_TOKEN, ReinferSimulator

START = datetime(2026, 1, 1, tzinfo=UTC)
TEXT = ("Could you look at this, please? " * 8 + "\r\n") * 38
# Random bytes cannot be compressed, like real scans and archives.
ATTACHED = base64.encodebytes(random.Random(1).randbytes(18_000_000)).replace(b"\n", b"\r\n")


def small(number: int) -> bytes:
    return f"{_head(number)}\r\n{TEXT}".encode()


def large(number: int) -> bytes:
    boundary = 'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n'
    body = f"{_head(number)}{boundary}\r\n--b\r\nContent-Type: text/plain\r\n\r\n{TEXT}\r\n--b\r\n"
    attached = "Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=scan.pdf\r\n"
    return (body + attached + "Content-Transfer-Encoding: base64\r\n\r\n").encode() + ATTACHED + b"\r\n--b--\r\n"


def _head(number: int) -> str:
    return (
        f"From: Ann <ann@north.example>\r\nTo: {ADDRESS}\r\nSubject: Trade {number}\r\n"
        f"Date: Mon, 02 Mar 2026 09:00:00 +0000\r\nMessage-ID: <{number}@large.example>\r\n"
    )


def main() -> None:
    small_ones, large_ones = int(sys.argv[1]), int(sys.argv[2])
    store = Store([ADDRESS])
    sizes = {make: len(make(1)) for make in (small, large)}
    for number in range(small_ones + large_ones):
        # The large emails are distributed evenly among the small emails.
        is_large = large_ones and number % ((small_ones + large_ones) // large_ones) == 0 and number < 10**9
        make = large if is_large else small
        mail = Mail(
            partial(make, number), sizes[make], f"<{number}@large.example>", f"Trade {number}",
            START + timedelta(minutes=number),
        )  # fmt: skip
        store[ADDRESS].deliver(mail)
    with (
        ExchangeSimulator(store, accounts=[Account(USERNAME, PASSWORD)]) as exchange,
        GraphSimulator(store, registrations=[Registration("tenant", "client", PASSWORD)]) as graph,
        ReinferSimulator(projects=["bank"], sources=[("bank", "desks")]) as reinfer,
    ):
        addresses = {"exchange": exchange.url(), "ca": exchange.ca, "reinfer": reinfer.url, "token": DEFAULT_TOKEN}
        addresses |= {"graph": graph.url, "graph_ca": graph.ca, "graph_control": graph.control_url}
        print(json.dumps(addresses | {"bytes": [sizes[small], sizes[large]]}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
