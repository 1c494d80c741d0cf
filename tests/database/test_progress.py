"""While a mailbox is synced for the first time, people see how far it is and how long it will take."""

from datetime import timedelta

from mailboxes.models import Bucket, Mailbox
from sync.figures import mailbox_rows
from sync.models import SyncRun
from sync.progress import Progress, progress_of
from sync.status import with_status
from tests.database.world import World
from tests.mails import mail


class Ticking:
    """A sink to which each push takes a while."""

    def __init__(self, port, tick):
        self._port, self._tick = port, tick

    def __enter__(self):
        self._port.__enter__()
        return self

    def __exit__(self, *error):
        return self._port.__exit__(*error)

    def __getattr__(self, name):
        return getattr(self._port, name)

    def push(self, comments):
        self._tick()
        return self._port.push(comments)


def seen(world: World) -> Mailbox:
    return with_status(
        Mailbox.objects.select_related("integration", "bucket__destination", "state"), world.clock()
    ).get()


def test_a_backfill_says_how_many_emails_are_done_of_how_many_and_how_long_it_will_take(world: World, settings):
    settings.PUSH_COUNT = settings.FETCH_COUNT = 10
    settings.SYNC_SLICE = timedelta(seconds=40)
    desk = world.mailbox()
    for number in range(100):
        world.mailboxes[desk.address].deliver(mail(f"mail{number}"))
    during = []

    def tick():
        world.clock.turn(seconds=10)
        during.append(mailbox_rows([seen(world)], world.clock())[0])

    world.wrap = lambda port, it: Ticking(it, tick) if port == "sink" else it
    world.sync(desk)
    assert [row.standing.label for row in during][:2] == ["Listing", "Delivering 10 of 100"]
    row = mailbox_rows([seen(world)], world.clock())[0]
    assert row.progress == Progress(40, 100, seconds_left=60.0)
    assert row.progress.time_left == "about 1 min left"
    Bucket.objects.update(held_until=world.clock() + timedelta(minutes=5))
    held = mailbox_rows([seen(world)], world.clock())[0]
    assert (held.standing.label, held.progress) == ("Held until 08:05", Progress(40, 100))


def test_a_run_that_goes_on_shows_what_it_counted_so_far(world: World, settings):
    settings.PUSH_COUNT = settings.FETCH_COUNT = 10
    desk = world.mailbox()
    for number in range(30):
        world.mailboxes[desk.address].deliver(mail(f"mail{number}"))
    created = []

    def tick():
        world.clock.turn(seconds=3)
        created.append(SyncRun.objects.get().created)

    world.wrap = lambda port, it: Ticking(it, tick) if port == "sink" else it
    world.sync(desk)
    assert created == [0, 10, 20]


def test_a_mailbox_that_was_through_once_shows_no_progress(world: World):
    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(mail("a"))
    world.sync(desk)
    assert progress_of([seen(world)], world.clock()) == {}
