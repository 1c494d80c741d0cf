"""Four mailboxes of one simulated Exchange, over real sockets: one is always refused, and the others miss at most
two polls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from integrations.connect import open_source
from integrations.ews.connection import close_all
from integrations.models import Integration
from mailboxes.models import Bucket, Mailbox
from simulators.exchange import Account, ExchangeSimulator, Store
from sync.jobs import runner, scheduling
from sync.models import SyncRun
from tests.sync.world import World

pytestmark = pytest.mark.long

POLLS = 72
ADDRESSES = [f"m{number}@bank.example" for number in range(4)]


@pytest.fixture
def exchange(world: World) -> Iterator[ExchangeSimulator]:
    with ExchangeSimulator(Store(ADDRESSES), accounts=[Account("BANK\\svc", "right")]) as exchange:
        row = {"endpoint": exchange.url(), "auth": "basic", "username": "BANK\\svc", "password": "right"}
        for name, value in {**row, "ca_bundle": exchange.ca, "build_version": "15.1.2507.39"}.items():
            setattr(world.integration, name, value)
        world.integration.save()
        bucket = Bucket.objects.create(destination=world.destination, project="bank", name="desks")
        for address in ADDRESSES:
            Mailbox.objects.create(integration=world.integration, bucket=bucket, address=address)
        yield exchange
        close_all()


def missed(world: World) -> list[int]:
    """Poll `POLLS` times, and return how many polls each mailbox missed."""
    around = replace(world.around(), open_source=open_source)
    for _ in range(POLLS):
        world.clock.turn(seconds=67)
        queue: list[int] = []
        scheduling.dispatch(queue.append, world.clock)
        while queue:
            run = runner.run(queue.pop(0), around)
            if run is not None:
                scheduling.queue_next(run.mailbox, queue.append, world.clock)
    done = SyncRun.objects.filter(outcome="done")
    return [POLLS - done.filter(mailbox__address=address).count() for address in ADDRESSES]


@pytest.mark.parametrize(
    ("effect", "options"),
    [
        ("disabled", {}),
        ("fault", {"code": "ErrorInvalidServerVersion"}),
        ("fault", {"code": "ErrorInvalidSchemaVersionForMailboxVersion"}),
        ("fault", {"code": "ErrorInvalidRequest"}),
    ],
    ids=lambda given: given if isinstance(given, str) else given.get("code", ""),
)
def test_while_one_mailbox_is_always_refused_the_others_miss_no_poll(
    world: World, exchange: ExchangeSimulator, effect, options
):
    exchange.faults.add(effect, mailbox=ADDRESSES[0], **options)
    assert missed(world) == [POLLS, 0, 0, 0]
    assert not Integration.objects.get().is_held


def test_while_one_mailbox_is_always_answered_with_401_the_others_miss_at_most_two_polls(
    world: World, exchange: ExchangeSimulator
):
    exchange.faults.add("unauthorized", mailbox=ADDRESSES[0])
    always, *others = missed(world)
    assert always == POLLS
    assert max(others) <= 2
    assert not Integration.objects.get().is_held
