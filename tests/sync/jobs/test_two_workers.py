"""Two workers at once: one email in two mailboxes, and a slow worker that continues after it lost its lease."""

from contextlib import suppress

import pytest

from sync.engine.ports import LeaseLost
from sync.models import LedgerEntry, MailboxState, SyncRun
from tests.faults.deadly import Died, Kills, Reaper
from tests.mails import comment_id_of, mail
from tests.sync.world import World


class Interrupted:
    """Wraps the ports of a sync, and runs `meanwhile` once: before the first call of `method`, or after this call (`after`).

    `method` is the name of a port and its method, such as `sink.push`.
    """

    def __init__(self, method: str, meanwhile, *, after: bool = False) -> None:
        self.method, self.meanwhile, self.after = method, meanwhile, after
        self.done = False

    def wrap(self, port, it):
        interruption = self

        class Wrapped:
            def __getattr__(self, name):
                value = getattr(it, name)
                if f"{port}.{name}" != interruption.method or interruption.done:
                    return value

                def call(*given, **named):
                    interruption.done = True
                    if not interruption.after:
                        interruption.meanwhile()
                    result = value(*given, **named)
                    if interruption.after:
                        interruption.meanwhile()
                    return result

                return call

            def __enter__(self):
                return self

            def __exit__(self, *exc):
                it.close()

        return Wrapped()


def interrupted(world: World, method: str, meanwhile, *, after: bool = False) -> None:
    """Run `meanwhile` in the middle of the next sync, with unwrapped ports, as another worker would."""

    def with_plain_ports():
        wrap, world.wrap = world.wrap, lambda port, it: it
        try:
            meanwhile()
        finally:
            world.wrap = wrap

    world.wrap = Interrupted(method, with_plain_ports, after=after).wrap


@pytest.fixture
def two(world: World):
    desk, sales = world.mailbox("desk@bank.example"), world.mailbox("sales@bank.example")
    for mailbox in (desk, sales):
        world.mailboxes[mailbox.address].deliver(mail("a", to="desk@bank.example, sales@bank.example"))
    return desk, sales


MOMENTS = [
    ("ledger.known", False),
    ("source.fetch", False),
    ("ledger.entries", True),
    ("ledger.intend", False),
    ("ledger.intend", True),
    ("sink.push", False),
    ("sink.push", True),
    ("ledger.confirm", False),
    ("ledger.confirm", True),
    ("checkpoints.advance", False),
]


@pytest.mark.parametrize(("method", "after"), MOMENTS, ids=str)
def test_copies_of_one_email_synced_at_the_same_moment_are_created_once(world: World, two, method, after):
    desk, sales = two
    interrupted(world, method, lambda: world.sync(sales), after=after)
    world.sync(desk)
    world.wrap = lambda port, it: it
    world.clock.turn(minutes=5)
    world.sync_all(rounds=3)
    world.assert_all_is_well(["a"])
    assert world.ai_units() == 1
    assert world.comment("a").properties["string:Mailbox"] in (desk.address, sales.address)


def test_an_item_whose_comment_is_in_flight_is_not_pushed_but_updated_later(world: World, two):
    desk, sales = two
    interrupted(world, "sink.push", lambda: world.sync(sales))
    world.sync(desk)
    assert [comment.properties["string:Mailbox"] for comment in world.bucket().writes[comment_id_of("a")]] == [
        desk.address
    ]
    assert LedgerEntry.objects.get().dirty
    world.wrap = lambda port, it: it
    world.clock.turn(minutes=5)
    world.sync(sales)
    assert world.comment("a").properties["string:Mailbox"] == sales.address
    world.assert_all_is_well(["a"])


def test_a_copy_deferred_to_a_worker_that_died_is_created_by_the_other_mailbox(world: World, two):
    desk, sales = two

    def die():
        world.sync(sales)
        raise Died

    interrupted(world, "sink.push", die)
    with pytest.raises(Died):
        world.sync(desk)
    world.wrap = lambda port, it: it
    world.clock.turn(minutes=20)
    world.sync(sales)
    world.assert_all_is_well(["a"])


@pytest.mark.parametrize(("method", "after"), MOMENTS, ids=str)
def test_a_slow_worker_that_lost_its_lease_cannot_push_or_move_the_checkpoint(world: World, method, after):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    box.deliver(mail("a"))
    cursors = []

    def another_worker_takes_over():
        world.clock.turn(minutes=10)
        world.sync(desk)
        box.deliver(mail("b"))
        world.clock.turn(minutes=10)
        world.sync(desk)
        cursors.extend(desk.folders.order_by("pk").values_list("cursor", flat=True))
        cursors.append(world.pushes())

    interrupted(world, method, another_worker_takes_over, after=after)
    slow = world.sync(desk)
    assert slow.outcome == "lost"
    # In this case, the worker loses its lease between its last check and its push. So this one push happens.
    if (method, after) not in {("sink.push", False)}:
        assert [*desk.folders.order_by("pk").values_list("cursor", flat=True), world.pushes()] == cursors
    world.wrap = lambda port, it: it
    world.sync_all(rounds=2)
    world.assert_all_is_well(["a", "b"])
    assert not MailboxState.objects.exclude(lease_token=None).exists()


def test_a_confirmation_that_comes_too_late_marks_the_entry_dirty(world: World, two):
    desk, sales = two
    world.sync(desk)
    box = world.mailboxes[desk.address]
    box.create_folder("Done")
    box.move(next(iter(box.folder("Inbox").items)), "Done")

    def meanwhile():
        # The push takes longer than its time limit. Meanwhile, the other mailbox pushes the same email.
        world.clock.turn(minutes=2)
        world.sync(sales)

    interrupted(world, "sink.push", meanwhile, after=True)
    world.sync(desk)
    assert LedgerEntry.objects.get().dirty
    world.wrap = lambda port, it: it
    world.clock.turn(minutes=20)
    world.sync_all(rounds=2)
    world.assert_all_is_well(["a"])
    assert world.comment("a").properties["string:Mailbox"] == sales.address


def test_two_overlapping_pushes_leave_the_entry_dirty(world: World, two):
    desk, sales = two
    world.sync_all()
    for address, folder in ((desk.address, "Done"), (sales.address, "Later")):
        box = world.mailboxes[address]
        box.create_folder(folder)
        box.move(next(iter(box.folder("Inbox").items)), folder)
    confirms = []

    class Late:
        """A ledger: the worker dies when it confirms a push. The test runs the confirmations later."""

        def __init__(self, it):
            self.it = it

        def __getattr__(self, name):
            return getattr(self.it, name)

        def confirm(self, *given):
            confirms.append(lambda: self.it.confirm(*given))
            raise Died

    world.wrap = lambda port, it: Late(it) if port == "ledger" else it
    for mailbox in (desk, sales):
        with pytest.raises(Died):
            world.sync(mailbox)
        world.clock.turn(minutes=2)
    for confirm in confirms:
        with suppress(LeaseLost):
            confirm()
    assert LedgerEntry.objects.get().dirty
    world.wrap = lambda port, it: it
    world.clock.turn(minutes=20)
    world.sync_all(rounds=2)
    world.assert_all_is_well(["a"])


def test_a_mailbox_that_is_being_synced_is_neither_queued_nor_synced_twice(world: World):
    from sync.jobs import runner

    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(mail("a"))
    seen = []
    interrupted(world, "source.fetch", lambda: seen.append((runner.run(desk.pk, world.around()), world.due())))
    world.sync(desk)
    assert seen == [(None, [])]


def test_the_run_of_a_worker_that_died_is_recorded_as_lost(world: World):
    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(mail("a"))
    world.wrap = Reaper(8).wrap
    with pytest.raises(Died):
        world.sync(desk)
    world.wrap = lambda port, it: it
    world.clock.turn(minutes=20)
    world.sync(desk)
    assert sorted(SyncRun.objects.values_list("outcome", flat=True)) == ["done", "lost"]


def test_an_email_that_always_crashes_the_worker_is_isolated_as_a_dead_letter(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    for name in "abc":
        box.deliver(mail(name))
    deadly = box.deliver(mail("deadly"))

    world.wrap = lambda port, it: Kills(it, deadly) if port == "source" else it
    for _ in range(8):
        world.clock.turn(minutes=20)
        try:
            world.sync(desk)
        except Died:
            continue
    world.assert_all_is_well(["a", "b", "c"])
    letter = desk.dead_letters.get()
    assert (letter.stage, letter.item_id) == ("worker", deadly)


def test_an_update_based_on_a_stale_ledger_entry_is_decided_again(world: World, two):
    desk, sales = two
    world.sync_all()
    for mailbox in (desk, sales):
        box = world.mailboxes[mailbox.address]
        box.create_folder("Done")
        box.move(next(iter(box.folder("Inbox").items)), "Done")
    writes = len(world.bucket().writes[comment_id_of("a")])

    def other_push_starts():
        world.wrap = Reaper("sink.push").wrap
        with pytest.raises(Died):
            world.sync(sales)

    interrupted(world, "ledger.entries", other_push_starts, after=True)
    world.sync(desk)
    assert len(world.bucket().writes[comment_id_of("a")]) == writes
    world.wrap = lambda port, it: it
    world.clock.turn(minutes=20)
    world.sync_all(rounds=2)
    world.assert_all_is_well(["a"])
    assert world.folder_of("a") == "Done"


def test_a_worker_that_was_suspended_before_its_push_does_not_push_an_expired_intention(world: World, two):
    desk, sales = two

    def suspended():
        world.clock.turn(seconds=100)  # the lease is still valid, but the intention has expired
        world.sync(sales)

    interrupted(world, "ledger.intend", suspended, after=True)
    run = world.sync(desk)
    assert (run.outcome, run.error_kind) == ("failed", "contended")
    writers = [comment.properties["string:Mailbox"] for comment in world.bucket().writes[comment_id_of("a")]]
    assert writers == [sales.address]
    world.wrap = lambda port, it: it
    world.clock.turn(minutes=20)
    world.sync_all(rounds=2)
    world.assert_all_is_well(["a"])
