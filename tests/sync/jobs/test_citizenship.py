"""The load on Exchange is limited: all workers respect retry times, and an overload causes few requests."""

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
    """Simulate beat, a queue and workers over hours. `takes` returns the seconds of a sync, by the key of the mailbox."""

    def __init__(self, world: World, workers: int, takes) -> None:
        self.world, self.workers, self.takes = world, workers, takes
        self.queue: list[int] = []
        self.ends: list[tuple[datetime, int]] = []
        self.syncs: list[tuple[datetime, int]] = []
        """Start and mailbox of each sync."""
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
        """Occupy a worker now. The sync itself runs in `_finish`, at the end of its simulated time."""
        until = self.world.clock() + timedelta(seconds=self.takes(mailbox_id))
        MailboxState.objects.filter(pk=mailbox_id).update(queued_until=until + timedelta(milliseconds=1))
        self.syncs.append((self.world.clock(), mailbox_id))
        heapq.heappush(self.ends, (until, mailbox_id))

    def _finish(self, mailbox_id: int) -> None:
        mailbox = Mailbox.objects.select_related("integration").get(pk=mailbox_id)
        self.sync(mailbox)
        scheduling.queue_next(mailbox, self.queue.append, self.world.clock)


@pytest.mark.long
def test_an_hour_of_503_causes_few_requests_and_all_mailboxes_sync_within_five_minutes_after_it(world: World):
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
    requests = len(world.sources) - before
    assert requests < 200, "less than one request per mailbox"
    assert requests < 45, "the first failed requests, and then one half-open trial at a time"
    assert Integration.objects.get().held_kind == "exchange_busy"
    ended = world.clock()
    for box in world.mailboxes.values():
        box.faults.clear()
    hours.pass_(timedelta(minutes=5))
    assert not Integration.objects.get().is_held
    assert MailboxState.objects.filter(synced_at__gt=ended).count() == 200


def test_a_few_busy_mailboxes_among_many_open_no_circuit_breaker(world: World):
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


def test_a_trial_whose_mailbox_may_not_be_read_closes_the_circuit_breaker_after_an_overload(world: World):
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


def test_a_busy_connection_waits_for_the_requested_time(world: World):
    desks = [world.mailbox(f"m{number}@bank.example") for number in range(6)]
    for box in world.mailboxes.values():
        box.fail("folders", errors.ExchangeBusy(retry_after=timedelta(minutes=9)), times=9)
    for desk in desks:
        world.run(desk)
    held = Integration.objects.get()
    assert held.held_until - world.clock() == timedelta(minutes=9)


@pytest.mark.long
def test_short_syncs_do_not_wait_for_beat_and_never_exceed_the_limit_of_the_integration(world: World):
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
def test_a_giant_mailbox_delays_99_percent_of_the_polls_of_small_ones_by_less_than_an_interval(world: World):
    """Only scheduling is simulated: each slice of the giant mailbox takes 120 s, each sync of a small mailbox 0.3 s."""
    Integration.objects.update(most_at_once=16)
    giant = world.mailbox("giant@bank.example")
    small = [world.mailbox(f"m{number}@bank.example") for number in range(1_000)]
    hours = Hours(world, workers=16, takes=lambda pk: 120 if pk == giant.pk else 0.3)
    chance = Random(1)

    def write_state(mailbox: Mailbox) -> None:
        """Write the state that a sync writes. The giant yields at the end of its slice, and is due again at once."""
        now = world.clock()
        if mailbox.pk == giant.pk:
            due, synced = now, None
        else:
            due = retry_policy.next_sync(now, timedelta(seconds=60), newest=now, chance=chance.random())
            synced = now
        MailboxState.objects.filter(pk=mailbox.pk).update(
            next_sync_at=due, synced_at=synced, up_to_date=synced is not None, queued_until=None
        )

    hours.sync = write_state
    hours.pass_(timedelta(minutes=1))
    hours.syncs.clear()
    hours.pass_(timedelta(minutes=4))
    waits = delays(hours, {box.pk for box in small})
    assert len(waits) >= 2_500
    assert waits[int(len(waits) * 0.99)] < 60, "seconds by which a poll exceeded the interval"
    assert sum(1 for _, pk in hours.syncs if pk == giant.pk) >= 2, "the giant is still synced"


def delays(hours: Hours, of: set[int]) -> list[float]:
    """Return how late each sync of these mailboxes began, in seconds and in ascending order.

    A sync is on time if it begins 60 s, the poll interval, after the previous sync of the mailbox.
    """
    last: dict[int, datetime] = {}
    waits = []
    for at, pk in hours.syncs:
        if pk in of:
            if pk in last:
                waits.append((at - last[pk]).total_seconds() - 60)
            last[pk] = at
    return sorted(waits)


def test_a_mailbox_that_waits_for_busy_workers_has_the_status_waiting_and_not_overdue(world: World):
    giant, small = world.mailbox("giant@bank.example"), world.mailbox("small@bank.example")
    world.sync(small)
    world.clock.turn(minutes=30)
    MailboxState.objects.filter(pk=giant.pk).update(lease_until=world.clock() + timedelta(minutes=2))
    row = with_status(Mailbox.objects.select_related("state", "integration"), world.clock()).get(pk=small.pk)
    assert row.status == Status.WAITING
    assert mailbox_standing(row, world.clock()).label == Status.WAITING.label


def test_a_verification_waits_while_its_connection_is_paused_or_its_mailbox_is_delayed(world: World):
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


def test_an_error_of_a_verification_delays_the_syncs_too(world: World):
    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(mail("a"))
    world.sync(desk)
    row = verification.begin(desk, repair=False, clock=world.clock)
    world.mailboxes[desk.address].fail("changes", errors.ExchangeBusy(retry_after=timedelta(minutes=8)))
    verification.run_slice(row.pk, world.around())
    world.clock.turn(minutes=7)
    assert world.due() == []
    world.clock.turn(minutes=2)
    assert world.due() == [desk.pk]
    world.mailboxes[desk.address].fail("changes", errors.SignInRefused("HTTP 401"))
    verification.run_slice(row.pk, world.around())
    assert Integration.objects.get().held_kind == "invalid_exchange_credentials"


def test_verifications_count_towards_the_limit_of_mailboxes_at_once(world: World):
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


def test_a_mailbox_without_mail_for_long_is_polled_less_often_even_if_it_never_had_any(world: World):
    empty = world.mailbox()
    Mailbox.objects.update(created_at=world.clock() - timedelta(days=30))
    world.sync(Mailbox.objects.select_related("integration", "bucket__destination").get(pk=empty.pk))
    wait = MailboxState.objects.get().next_sync_at - world.clock()
    assert wait == timedelta(minutes=5)
