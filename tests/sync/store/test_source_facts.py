"""What a source found out about its mailbox is kept for the next sync, whichever worker has it."""

from __future__ import annotations

from typing import Any

import pytest

from integrations import errors
from sync.models import MailboxState
from tests.fakes.exchange import FakeSource
from tests.mails import mail
from tests.sync.world import World


class Learning(FakeSource):
    """Finds something out in each sync, and notes what it was told before."""

    told: list[str] = []

    def __init__(self, source: FakeSource) -> None:
        self.__dict__.update(source.__dict__)
        self.found = ""

    @property
    def learned(self) -> str:
        return self.found

    @learned.setter
    def learned(self, learned: str) -> None:
        self.told.append(learned)
        self.found = learned

    def folders(self, after: Any) -> Any:
        self.found = f"Exchange2010_SP2 14.{len(self.told)}"
        return super().folders(after)


@pytest.fixture
def learning(world: World) -> World:
    Learning.told = []
    world.wrap = lambda port, it: Learning(it) if port == "source" else it
    return world


def test_what_a_source_found_out_is_told_to_the_next_one_of_the_mailbox(learning: World) -> None:
    desk, other = learning.mailbox(), learning.mailbox("other@bank.example")
    learning.sync(desk)
    learning.sync(desk)
    learning.sync(other)
    assert Learning.told == ["", "Exchange2010_SP2 14.1", ""]
    assert MailboxState.objects.get(pk=desk.pk).learned == "Exchange2010_SP2 14.2"


def test_it_is_kept_also_when_the_sync_fails(learning: World) -> None:
    desk = learning.mailbox()
    learning.mailboxes[desk.address].deliver(mail("a"))
    learning.mailboxes[desk.address].fail("folders", errors.ExchangeBusy())
    run = learning.sync(desk)
    assert run.outcome == "failed"
    assert MailboxState.objects.get(pk=desk.pk).learned == "Exchange2010_SP2 14.1"


def test_a_source_that_learns_nothing_is_asked_nothing(world: World) -> None:
    desk = world.mailbox()
    world.sync(desk)
    assert MailboxState.objects.get(pk=desk.pk).learned == ""
