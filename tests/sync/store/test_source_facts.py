"""Tests of facts that a source learns about its mailbox: each fact is stored, so that any worker can use it later."""

from __future__ import annotations

from typing import Any

import pytest

from integrations import errors
from sync.models import MailboxState
from tests.fakes.exchange import FakeSource
from tests.mails import mail
from tests.sync.world import World


class Learning(FakeSource):
    """A source that learns a new fact in each sync. `received` has the facts that the product passed to such sources."""

    received: list[str] = []

    def __init__(self, source: FakeSource) -> None:
        self.__dict__.update(source.__dict__)
        self.fact = ""

    @property
    def learned(self) -> str:
        return self.fact

    @learned.setter
    def learned(self, learned: str) -> None:
        self.received.append(learned)
        self.fact = learned

    def folders(self, after: Any) -> Any:
        self.fact = f"Exchange2010_SP2 14.{len(self.received)}"
        return super().folders(after)


@pytest.fixture
def learning(world: World) -> World:
    Learning.received = []
    world.wrap = lambda port, it: Learning(it) if port == "source" else it
    return world


def test_the_next_source_of_a_mailbox_gets_the_stored_fact(learning: World) -> None:
    desk, other = learning.mailbox(), learning.mailbox("other@bank.example")
    learning.sync(desk)
    learning.sync(desk)
    learning.sync(other)
    assert Learning.received == ["", "Exchange2010_SP2 14.1", ""]
    assert MailboxState.objects.get(pk=desk.pk).learned == "Exchange2010_SP2 14.2"


def test_the_fact_is_stored_when_the_sync_fails(learning: World) -> None:
    desk = learning.mailbox()
    learning.mailboxes[desk.address].deliver(mail("a"))
    learning.mailboxes[desk.address].fail("folders", errors.ExchangeBusy())
    run = learning.sync(desk)
    assert run.outcome == "failed"
    assert MailboxState.objects.get(pk=desk.pk).learned == "Exchange2010_SP2 14.1"


def test_nothing_is_stored_for_a_source_that_learns_no_facts(world: World) -> None:
    desk = world.mailbox()
    world.sync(desk)
    assert MailboxState.objects.get(pk=desk.pk).learned == ""
