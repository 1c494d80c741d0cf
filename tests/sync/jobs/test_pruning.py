"""Pruning deletes old runs and settled dead letters, but no dead letter that waits for a retry or a decision."""

from datetime import timedelta

from sync.jobs.pruning import prune
from sync.models import DeadLetter, SyncRun, Tick
from tests.mails import mail
from tests.sync.world import World


def test_old_runs_are_deleted_and_waiting_dead_letters_are_kept(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    lost, settled = box.deliver(mail("lost")), box.deliver(mail("settled"))
    for item in (lost, settled):
        box.break_item(item, "ErrorItemCorrupt")
    world.sync(desk)
    DeadLetter.objects.filter(item_id=settled).update(settled="dismissed", settled_at=world.clock())
    world.clock.now += timedelta(days=31)
    world.sync(desk)
    prune(world.clock)
    assert [row.item_id for row in DeadLetter.objects.all()] == [lost]
    assert SyncRun.objects.count() == 1


def test_runs_that_found_nothing_new_are_kept_for_a_day_and_the_others_for_a_month(world: World):
    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(mail("a"))
    world.sync(desk)
    for _ in range(3):
        world.clock.turn(minutes=5)
        world.sync(desk)
    prune(world.clock)
    assert SyncRun.objects.count() == 4
    world.clock.turn(days=1, minutes=1)
    prune(world.clock)
    assert [run.created for run in SyncRun.objects.all()] == [1]
    assert Tick.objects.get(name="prune").at == world.clock()
