"""A worker is killed at any call of any port during a sync: no email is lost, and none is billed twice."""

from __future__ import annotations

from contextlib import suppress

import pytest

from sync.models import SyncedFolder, SyncRun
from tests.faults.deadly import Died, Reaper
from tests.mails import mail
from tests.sync.world import World

NAMES = list("abcdefg")


def first_life(world: World) -> None:
    """Create a mailbox with mail in two folders, on several pages and in several batches."""
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    box.create_folder("Trades", parent="Inbox")
    for name in NAMES[:4]:
        box.deliver(mail(name))
    for name in NAMES[4:]:
        box.deliver(mail(name), "Trades")


def second_life(world: World) -> None:
    """After a first sync: move one email, edit a second and delete a third, rename a folder, and deliver new mail."""
    first_life(world)
    world.sync_all()
    box = next(iter(world.mailboxes.values()))
    items = list(box.folder("Inbox").items)
    box.move(items[0], "Trades")
    box.edit(items[1], mail("b", body="Edited"))
    box.delete(items[2])
    box.rename_folder("Trades", "Deals")
    box.deliver(mail("new"))


LIVES = {"first sync": (first_life, NAMES), "later sync": (second_life, [*NAMES, "new"])}


def bring_to_an_end(world: World) -> None:
    """Let the lease of the dead worker expire, and sync with another worker until the mailbox is up to date."""
    world.wrap = lambda port, it: it
    for _ in range(4):
        world.clock.turn(minutes=20)
        world.sync_all()


def calls_of(life, world: World) -> list[str]:
    life(world)
    reaper = Reaper()
    world.wrap = reaper.wrap
    world.sync_all()
    return reaper.calls


each_life = pytest.mark.parametrize("life", LIVES)
before_and_after = pytest.mark.parametrize("after", [False, True], ids=["before", "after"])

EVERY_SO_MANY = 23
"""Every call with a number divisible by 23 is tested. 23 is no multiple of the sizes of pages and batches, so that all kinds
of calls are tested."""


@pytest.mark.long
@before_and_after
@each_life
@pytest.mark.django_db(transaction=True)
def test_nothing_is_lost_or_billed_twice_wherever_a_worker_dies(life, after, settings):
    die_at_each(life, after, settings, every=1)


@before_and_after
@each_life
@pytest.mark.django_db(transaction=True)
def test_nothing_is_lost_or_billed_twice_when_a_worker_dies_at_some_calls(life, after, settings):
    die_at_each(life, after, settings, every=EVERY_SO_MANY)


def die_at_each(life: str, after: bool, settings, *, every: int) -> None:
    settings.FETCH_COUNT, settings.PUSH_COUNT = 2, 2
    live, names = LIVES[life]
    steps = len(calls_of(live, World(page_size=3)))
    assert steps > 40
    for step in range(0, steps, every):
        flush()
        world = World(page_size=3)
        live(world)
        checkpoints = {row.pk: row.cursor for row in SyncedFolder.objects.all()}
        reaper = Reaper(step, after=after)
        world.wrap = reaper.wrap
        with suppress(Died):
            world.sync_all()
        bring_to_an_end(world)
        where = f"{'after' if after else 'before'} {reaper.calls[-1]}, call {step}"
        assert_all_is_well(world, names, life, where)
        assert all(SyncedFolder.objects.filter(pk=pk).exists() for pk in checkpoints), where


def assert_all_is_well(world: World, names, life: str, where: str) -> None:
    try:
        world.assert_all_is_well(names)
        assert world.ai_units() == len(names)
        created = sum(SyncRun.objects.values_list("created", flat=True))
        assert created <= len(names)
        if life == "later sync":
            assert world.folder_of("e") == "Inbox/Deals"
    except AssertionError as error:
        raise AssertionError(f"a worker that died {where}: {error}") from error


def flush() -> None:
    from django.contrib.auth import get_user_model

    from integrations.models import Destination, Integration
    from mailboxes.models import Bucket

    assert get_user_model()
    Integration.objects.all().delete()
    Bucket.objects.all().delete()
    Destination.objects.all().delete()
