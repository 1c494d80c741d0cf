"""A running stack syncs several mailboxes with much mail, while the health page of the stack is requested continuously."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from simulators.exchange import Store, mail_of
from tests.faults.processes.admin import Admin
from tests.faults.processes.stack import Stack
from tests.mails import comment_id_of, mail

MAILBOXES, ORDINARY_OF_EACH = 6, 50
"""Number of mailboxes, and of ordinary emails in each. There are more mailboxes than concurrent syncs of a connection, so
that a blocked sync delays other mailboxes."""
PROBE_EVERY = 0.1
WITHIN = 120.0
"""Maximum waiting time in seconds. An idle machine needs a tenth of this time."""


@dataclass
class Health:
    """The responses of the health page. `worst` is the longest response time in seconds."""

    worst: float = 0.0
    probes: int = 0
    other: list[str] = field(default_factory=list)
    """Status codes other than 200, and names of exceptions."""


@dataclass(frozen=True)
class Burst:
    """The result. Both times begin with the first request to Exchange.

    Attributes:
        seconds: Time until the last ordinary email was pushed.
        settled: Time until the other emails, too, were pushed or became dead letters.
    """

    seconds: float
    settled: float
    health: Health
    ordinary: set[str]
    comments: dict[str, int]
    """Number of pushes of each comment, by comment id."""
    billed: int
    aside: dict[str, tuple[str, int]]
    """Kind and attempts of each dead letter, by comment id."""


def burst(stack: Stack, name: str, others: Sequence[bytes] = ()) -> Burst:
    """Sync an integration with 300 ordinary emails, and delete it afterwards.

    Args:
        stack: The running stack.
        name: Name of the integration.
        others: Further emails. The first mailboxes get one each, before their ordinary emails.

    Raises:
        AssertionError: A step takes too long, for example the push of all ordinary emails longer than `WITHIN` seconds.
    """
    addresses = [f"desk{number}@{name}.example" for number in range(MAILBOXES)]
    store = Store(addresses)
    for address, other in zip(addresses, others, strict=False):
        store[address].deliver(mail_of(other))
    ordinary = [f"ordinary-{number}" for number in range(MAILBOXES * ORDINARY_OF_EACH)]
    for address, of_it in zip(addresses, _in_parts(ordinary), strict=True):
        for one in of_it:
            store[address].deliver(mail_of(mail(one, to=address)))
    stack.exchange.store = store
    stack.exchange.requests.clear()
    admin = Admin(stack, name, addresses)
    stack.reinfer.store.create(*admin.bucket)
    try:
        return _watched(stack, admin, {comment_id_of(one) for one in ordinary}, len(others))
    finally:
        admin.delete()
        admin.close()


def _in_parts(names: Sequence[str]) -> list[Sequence[str]]:
    return [names[first : first + ORDINARY_OF_EACH] for first in range(0, len(names), ORDINARY_OF_EACH)]


def _watched(stack: Stack, admin: Admin, ordinary: set[str], others: int) -> Burst:
    comments = stack.reinfer.sources[admin.bucket].comments
    with asked_all_the_time(stack.web_port) as health:
        admin.begin()
        stack.wait(lambda: bool(stack.exchange.requests), "a first request to Exchange")
        began = time.monotonic()
        stack.wait(lambda: ordinary <= set(comments), "all ordinary emails arrive", WITHIN)
        seconds = time.monotonic() - began
        stack.wait(
            lambda: len(comments) + len(admin.aside()) >= len(ordinary) + others, "the others are settled, too", WITHIN
        )
        settled = time.monotonic() - began
        if others:
            _one_more_sync(stack, admin)
    source = stack.reinfer.sources[admin.bucket]
    written = {comment_id: len(comment.history) for comment_id, comment in source.comments.items()}
    return Burst(seconds, settled, health, ordinary, written, source.ai_units, _set_aside(admin))


def _one_more_sync(stack: Stack, admin: Admin) -> None:
    """Wait for one more sync of each mailbox. An email that is retried by mistake would be retried in this sync."""
    since = admin.now()
    stack.wait(lambda: all(one["synced_at"] and one["synced_at"] > since for one in admin.states()), "one more sync")


def _set_aside(admin: Admin) -> dict[str, tuple[str, int]]:
    rows = admin.stack.cluster.ask(
        "SELECT e.listed_id, e.kind, e.attempts FROM sync_setasideemail e JOIN mailboxes_mailbox m ON m.id = e.mailbox_id "
        "JOIN mailboxes_bucket b ON b.id = m.bucket_id WHERE b.name = %s AND e.settled = ''",
        admin.name,
    )
    return {listed_id: (kind, attempts) for listed_id, kind, attempts in rows}


@contextmanager
def asked_all_the_time(port: int) -> Iterator[Health]:
    """Request the health page until the end of the block, with a new connection each time, as load balancers do."""
    health, over = Health(), threading.Event()

    def ask() -> None:
        while not over.wait(PROBE_EVERY):
            began = time.monotonic()
            try:
                answered = _status_of(port)
            except (OSError, http.client.HTTPException) as error:
                answered = type(error).__name__
            health.worst = max(health.worst, time.monotonic() - began)
            health.probes += 1
            health.other += [answered] if answered != "200" else []

    asker = threading.Thread(target=ask, daemon=True)
    asker.start()
    try:
        yield health
    finally:
        over.set()
        asker.join()


def _status_of(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        answer.read()
        return str(answer.status)
    finally:
        connection.close()
