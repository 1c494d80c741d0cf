"""When the password is changed while four workers sync 400 mailboxes, too few sign-ins are refused to lock the account.

The workers are threads that run the real runner, dispatcher and adapter over real sockets. Exchange is simulated and counts
refused sign-ins as a directory service does. The clock is simulated, too.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from django.db import connection, connections

from integrations.connect import open_source
from integrations.ews.connection import close_all
from integrations.models import Integration
from mailboxes.models import Bucket, Mailbox
from operations.resumption import settings_changed
from simulators.exchange import Account, Application, ExchangeSimulator, Store
from sync.jobs import runner, scheduling
from sync.models import MailboxState, SyncRun
from tests.sync.world import World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

MAILBOXES, WORKERS, BEFORE = 400, 4, 8
ADDRESSES = [f"m{number}@bank.example" for number in range(MAILBOXES)]


@dataclass
class Bank:
    """The mailboxes of a bank, its Exchange, and four workers."""

    world: World
    exchange: ExchangeSimulator
    refused: Callable[[], int]
    change: Callable[[str], None]
    setting: str
    tasks: queue.SimpleQueue[int | None] = field(default_factory=queue.SimpleQueue)
    done: int = 0
    busy: int = 0
    changed: bool = False
    lock: threading.Condition = field(default_factory=threading.Condition)

    def send(self, mailbox_id: int) -> None:
        with self.lock:
            self.busy += 1
        self.tasks.put(mailbox_id)

    def work(self) -> None:
        """Run queued syncs until the queue contains None."""
        around = replace(self.world.around(), open_source=open_source)
        while (mailbox_id := self.tasks.get()) is not None:
            try:
                run = runner.run(mailbox_id, around)
                if run is not None:
                    scheduling.queue_next(run.mailbox, self.send, self.world.clock)
            finally:
                with self.lock:
                    self.done += 1
                    self.busy -= 1
                    if self.done == BEFORE and not self.changed:
                        self.changed = True
                        self.change("another")
                    self.lock.notify_all()
        connections.close_all()

    def tick(self) -> None:
        """Queue the due mailboxes, and wait until the workers have run all tasks."""
        scheduling.dispatch(self.send, self.world.clock)
        with self.lock:
            assert self.lock.wait_for(lambda: self.busy == 0, timeout=300), "the workers did not finish"


@pytest.fixture(params=["basic", "ntlm", "oauth2"])
def bank(world: World, request: pytest.FixtureRequest) -> Iterator[Bank]:
    if connection.vendor != "postgresql":
        pytest.skip("Simultaneous workers need PostgreSQL: set DATABASE_URL.")
    accounts, apps = [Account("BANK\\svc", "right")], [Application("tenant", "client", "right")]
    with ExchangeSimulator(Store(ADDRESSES), accounts=accounts, applications=apps) as exchange:
        row = {"auth": request.param, "ca_bundle": exchange.ca, "build_version": "15.1.2507.39", "most_at_once": 64}
        if request.param == "oauth2":
            row |= {"endpoint": exchange.url("online"), "authority": exchange.authority_url}
            row |= {"tenant_id": "tenant", "client_id": "client"}
            bank = Bank(
                world,
                exchange,
                lambda: exchange.online.refused["client"],
                lambda new: exchange.online.change_secret("client", new),
                "client_secret",
            )
        else:
            row |= {"endpoint": exchange.url(), "username": "BANK\\svc"}
            bank = Bank(
                world,
                exchange,
                lambda: exchange.on_premises.refused["bank\\svc"],
                lambda new: exchange.on_premises.change_password("BANK\\svc", new),
                "password",
            )
        for name, value in {**row, bank.setting: "right"}.items():
            setattr(world.integration, name, value)
        world.integration.save()
        bucket = Bucket.objects.create(destination=world.destination, project="bank", name="desks")
        Mailbox.objects.bulk_create(
            Mailbox(integration=world.integration, bucket=bucket, address=address) for address in ADDRESSES
        )
        workers = [threading.Thread(target=bank.work) for _ in range(WORKERS)]
        for worker in workers:
            worker.start()
        yield bank
        for _ in workers:
            bank.tasks.put(None)
        for worker in workers:
            worker.join()
        close_all()


def test_after_a_password_change_400_mailboxes_cause_at_most_five_refused_sign_ins_and_then_three_an_hour(
    bank: Bank, record_property
):
    clock = bank.world.clock
    bank.tick()
    assert SyncRun.objects.filter(outcome="done").count() >= BEFORE - WORKERS
    immediate = bank.refused()
    assert 1 <= immediate <= 2 + (WORKERS - 1), (
        "two, and one for each other sign-in that was running when the password changed"
    )
    refusals: list[tuple[datetime, int]] = []
    began, before = clock(), immediate
    while clock() < began + timedelta(hours=4):
        clock.turn(seconds=30)
        bank.tick()
        if (now := bank.refused()) > before:
            refusals.append((clock(), now - before))
            before = now
    in_hours = [
        sum(count for at, count in refusals if began + timedelta(hours=hour) < at <= began + timedelta(hours=hour + 1))
        for hour in range(4)
    ]
    record_property("refused at once, and in each of the hours after", [immediate, *in_hours])
    assert Integration.objects.get().is_held
    assert max(in_hours) <= 3
    assert min(in_hours) >= 1, "half-open trials continue"

    setattr(bank.world.integration, bank.setting, "another")
    bank.world.integration.save()
    # Twelve mailboxes are enough to show that syncing continues.
    Mailbox.objects.exclude(address__in=ADDRESSES[:12]).update(enabled=False, disabled_reason="user")
    settings_changed(bank.world.integration)
    bank.tick()
    assert bank.refused() == before
    assert not Integration.objects.get().is_held
    assert MailboxState.objects.filter(mailbox__enabled=True, up_to_date=True).count() == 12
