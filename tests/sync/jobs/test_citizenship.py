"""A good guest of Exchange and Re:infer: what one worker was told, all obey; a storm is waited out."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

import pytest

from integrations import errors
from integrations.models import Integration
from mailboxes.models import Mailbox
from sync.engine import retry_policy
from sync.jobs import scheduling, verification
from sync.models import MailboxState, Verification
from sync.reporting.status import Status, mailbox_standing, with_status
from tests.mails import mail
from tests.sync.world import World

TICK = timedelta(seconds=5)


class Hours:
    """Beat, a queue and some workers on the simulated clock. `takes`: seconds that one sync of a mailbox takes."""

    def __init__(self, world: World, workers: int, takes) -> None:
        self.world, self.workers, self.takes = world, workers, takes
        self.queue: list[int] = []
        self.ends: list[tuple[datetime, int]] = []
        self.syncs: list[tuple[datetime, int]] = []
        """When each sync began, and of which mailbox."""
        self.sync: Callable[[Mailbox], object] = world.run
        self.next_tick = world.clock()

    def pass_(self, length: timedelta) -> None:
        end = self.world.clock() + length
        while True:
            moment = min([self.next_tick, *(at for at, _ in self.ends[:1])])
            if moment > end:
                self.world.clock.now = end
                return
            self.world.clock.now = max(moment, self.world.clock())
            while self.ends and self.ends[0][0] <= moment:
                _, mailbox_id = heapq.heappop(self.ends)
                self._finish(mailbox_id)
            if self.next_tick <= moment:
                scheduling.dispatch(self.queue.append, self.world.clock)
                self.next_tick += TICK
            while self.queue and len(self.ends) < self.workers:
                self._begin(self.queue.pop(0))

    def _begin(self, mailbox_id: int) -> None:
        """The place is taken now; what the sync does is done when its time is over."""
        until = self.world.clock() + timedelta(seconds=self.takes(mailbox_id))
        MailboxState.objects.filter(pk=mailbox_id).update(queued_until=until + timedelta(milliseconds=1))
        self.syncs.append((self.world.clock(), mailbox_id))
        heapq.heappush(self.ends, (until, mailbox_id))

    def _finish(self, mailbox_id: int) -> None:
        mailbox = Mailbox.objects.select_related("integration").get(pk=mailbox_id)
        self.sync(mailbox)
        scheduling.go_on(mailbox, self.queue.append, self.world.clock)


@pytest.mark.long
def test_a_storm_of_503_for_an_hour_is_met_by_few_requests_and_full_speed_comes_back_within_five_minutes(world: World):
    Integration.objects.update(most_at_once=8)
    for number in range(200):
        world.mailbox(f"m{number}@bank.example")
    hours = Hours(world, workers=8, takes=lambda pk: 0.2)
    hours.pass_(timedelta(minutes=2))
    assert MailboxState.objects.filter(up_to_date=True).count() == 200
    for box in world.mailboxes.values():
        box.fail("folders", errors.ExchangeBusy("HTTP 503"), times=1_000)
    before = len(world.sources)
    hours.pass_(timedelta(hours=1))
    asked = len(world.sources) - before
    assert asked < 200, "less than one request for each mailbox, and so far less than one for each of its waits"
    assert asked < 45, "the first ones, and then one probe at a time"
    assert Integration.objects.get().held_kind == "exchange_busy"
    ended = world.clock()
    for box in world.mailboxes.values():
        box.faults.clear()
    hours.pass_(timedelta(minutes=5))
    assert not Integration.objects.get().is_held
    assert MailboxState.objects.filter(synced_at__gt=ended).count() == 200


def test_a_few_busy_mailboxes_among_many_hold_nobody_else(world: World):
    for number in range(30):
        world.mailbox(f"m{number}@bank.example")
    for number in range(8):
        box = world.mailboxes[f"m{number}@bank.example"]
        box.fail("folders", errors.ExchangeBusy("HTTP 503"), times=1_000)
    order = list(Mailbox.objects.order_by("pk"))
    for busy, well in zip(order[:8], order[8:16], strict=True):
        for mailbox in (well, busy):
            world.sync(mailbox)
            world.clock.turn(seconds=1)
    assert not Integration.objects.get().is_held
    assert MailboxState.objects.filter(failures=1).count() == 8


def test_a_probe_that_meets_a_closed_mailbox_ends_the_storm_too(world: World):
    desks = [world.mailbox(f"m{number}@bank.example") for number in range(6)]
    for box in world.mailboxes.values():
        box.fail("folders", errors.ExchangeFailed("HTTP 502"), times=1)
    for desk in desks:
        world.run(desk)
    assert Integration.objects.get().is_held
    world.mailboxes[desks[5].address].faults.clear()
    world.mailboxes[desks[5].address].fail("folders", errors.AccessDenied())
    world.sync(desks[5])
    assert not Integration.objects.get().is_held


def test_a_busy_connection_waits_as_long_as_it_was_asked_to(world: World):
    desks = [world.mailbox(f"m{number}@bank.example") for number in range(6)]
    for box in world.mailboxes.values():
        box.fail("folders", errors.ExchangeBusy(retry_after=timedelta(minutes=9)), times=9)
    for desk in desks:
        world.run(desk)
    held = Integration.objects.get()
    assert held.held_until - world.clock() == timedelta(minutes=9)


def test_short_syncs_do_not_wait_for_the_tick_and_never_are_there_more_than_the_integration_may(world: World):
    Integration.objects.update(most_at_once=4)
    for number in range(120):
        world.mailbox(f"m{number}@bank.example")
    hours = Hours(world, workers=20, takes=lambda pk: 0.3)
    most = 0
    for _ in range(60):
        hours.pass_(timedelta(seconds=1))
        most = max(most, len(hours.ends) + len(hours.queue))
    assert most <= 4
    assert MailboxState.objects.filter(synced_at__isnull=False).count() == 120


@pytest.mark.long
def test_a_giant_beside_a_thousand_small_mailboxes_delays_them_by_less_than_an_interval(world: World):
    """In terms of the scheduler: the giant needs slice after slice, the small ones a moment each."""
    Integration.objects.update(most_at_once=16)
    giant = world.mailbox("giant@bank.example")
    small = [world.mailbox(f"m{number}@bank.example") for number in range(1_000)]
    hours = Hours(world, workers=16, takes=lambda pk: 120 if pk == giant.pk else 0.3)
    chance = Random(1)

    def leaves(mailbox: Mailbox) -> None:
        """What a sync leaves for the scheduler. The giant yields its slice, and is due again at once."""
        now = world.clock()
        if mailbox.pk == giant.pk:
            due, synced = now, None
        else:
            due = retry_policy.next_sync(now, timedelta(seconds=60), newest=now, chance=chance.random())
            synced = now
        MailboxState.objects.filter(pk=mailbox.pk).update(
            next_sync_at=due, synced_at=synced, up_to_date=synced is not None, queued_until=None
        )

    hours.sync = leaves
    hours.pass_(timedelta(minutes=1))
    hours.syncs.clear()
    hours.pass_(timedelta(minutes=4))
    waits = delays(hours, {box.pk for box in small})
    assert len(waits) >= 2_500
    assert waits[int(len(waits) * 0.99)] < 60, "seconds beyond the interval"
    assert sum(1 for _, pk in hours.syncs if pk == giant.pk) >= 2, "the giant goes on, too"


def delays(hours: Hours, of: set[int]) -> list[float]:
    """How much later than its interval each of these syncs began."""
    last: dict[int, datetime] = {}
    waits = []
    for at, pk in hours.syncs:
        if pk in of:
            if pk in last:
                waits.append((at - last[pk]).total_seconds() - 60)
            last[pk] = at
    return sorted(waits)


def test_a_mailbox_that_waits_for_busy_workers_is_said_to_wait_and_not_to_be_stuck(world: World):
    giant, small = world.mailbox("giant@bank.example"), world.mailbox("small@bank.example")
    world.sync(small)
    world.clock.turn(minutes=30)
    MailboxState.objects.filter(pk=giant.pk).update(lease_until=world.clock() + timedelta(minutes=2))
    row = with_status(Mailbox.objects.select_related("state", "integration"), world.clock()).get(pk=small.pk)
    assert row.status == Status.WAITING
    assert mailbox_standing(row, world.clock()).label == Status.WAITING.label


def test_a_verification_waits_while_its_mailbox_or_its_connection_is_held_back(world: World):
    desk = world.mailbox()
    world.sync(desk)
    row = verification.begin(desk, repair=False, clock=world.clock)
    assert verification.due(world.clock()) == [row.pk]
    Integration.objects.update(held_until=world.clock(), held_since=world.clock())
    assert verification.due(world.clock()) == []
    Integration.objects.update(held_until=None, held_since=None)
    later = world.clock() + timedelta(minutes=5)
    MailboxState.objects.update(failures=1, next_sync_at=later)
    assert verification.due(world.clock()) == []
    world.clock.turn(minutes=6)
    assert verification.due(world.clock()) == [row.pk]


def test_what_a_verification_is_told_holds_for_the_syncs_too(world: World):
    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(mail("a"))
    world.sync(desk)
    row = verification.begin(desk, repair=False, clock=world.clock)
    world.mailboxes[desk.address].fail("changes", errors.ExchangeBusy(retry_after=timedelta(minutes=8)))
    verification.go_on(row.pk, world.around())
    world.clock.turn(minutes=7)
    assert world.due() == []
    world.clock.turn(minutes=2)
    assert world.due() == [desk.pk]
    world.mailboxes[desk.address].fail("changes", errors.SignInRefused("HTTP 401"))
    verification.go_on(row.pk, world.around())
    assert Integration.objects.get().held_kind == "invalid_exchange_credentials"


def test_verifications_count_among_the_mailboxes_that_an_integration_may_have_at_once(world: World):
    Integration.objects.update(most_at_once=1)
    desk, other = world.mailbox(), world.mailbox("other@bank.example")
    for box in (desk, other):
        verification.begin(box, repair=False, clock=world.clock)
    sent: list[tuple[int, str]] = []
    assert verification.send_due(lambda *task: sent.append(task), world.clock) == 2
    Verification.objects.filter(pk=desk.pk).update(claimed_until=world.clock() + timedelta(minutes=2))
    assert world.due() == []
    world.clock.turn(seconds=61)
    assert verification.send_due(lambda *task: sent.append(task), world.clock) == 0


def test_a_mailbox_without_mail_for_long_is_polled_less_often_whether_it_ever_had_any_or_not(world: World):
    empty = world.mailbox()
    Mailbox.objects.update(created_at=world.clock() - timedelta(days=30))
    world.sync(Mailbox.objects.select_related("integration", "bucket__destination").get(pk=empty.pk))
    wait = MailboxState.objects.get().next_sync_at - world.clock()
    assert wait == timedelta(minutes=5)
