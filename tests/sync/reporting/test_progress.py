"""While a mailbox is synced for the first time, people see how far it is and how long it will take."""

from datetime import timedelta

import pytest

from mailboxes.models import Bucket, Mailbox
from operations import mailbox_actions
from sync.models import SyncRun
from sync.reporting.mailbox_counters import MailboxRow, mailbox_rows
from sync.reporting.progress import Pass, Progress, pass_of, progress_of
from sync.reporting.status import with_status
from tests.actors import ADMIN
from tests.mails import mail
from tests.sync.slow import slow, with_folders
from tests.sync.world import World


class Around:
    """A port with something around it."""

    def __init__(self, port, then):
        self._port, self._then = port, then

    def __enter__(self):
        self._port.__enter__()
        return self

    def __exit__(self, *error):
        return self._port.__exit__(*error)

    def __getattr__(self, name):
        return getattr(self._port, name)


class Ticking(Around):
    """A sink to which each push takes a while."""

    def push(self, comments):
        self._then()
        return self._port.push(comments)


class Looked(Around):
    """A source that is looked at between two of its pages."""

    def changes(self, folder, cursor):
        for page in self._port.changes(folder, cursor):
            yield page
            self._then()


def seen(world: World) -> Mailbox:
    return with_status(
        Mailbox.objects.select_related("integration", "bucket__destination", "state"), world.clock()
    ).get()


@pytest.mark.wording
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
    assert [row.standing.label for row in during][:2] == ["Listing", "Working through 10 of 100"]
    row = mailbox_rows([seen(world)], world.clock())[0]
    assert row.progress == Progress(40, 100, seconds_left=60.0)
    assert row.progress.time_left == "about 1 min left"
    Bucket.objects.update(held_until=world.clock() + timedelta(minutes=5))
    held = mailbox_rows([seen(world)], world.clock())[0]
    assert (held.standing.label, held.progress) == ("Paused until 08:05", Progress(40, 100))


def watched(world: World, desk: Mailbox) -> list[MailboxRow]:
    """What its row showed at each page of one sync."""
    during: list[MailboxRow] = []

    def look():
        world.clock.turn(seconds=2)
        during.append(mailbox_rows([seen(world)], world.clock())[0])

    world.wrap = lambda port, it: Looked(it, look) if port == "source" else it
    world.sync(desk)
    world.wrap = lambda port, it: it
    return during


@pytest.fixture
def filled(world: World) -> Mailbox:
    """A mailbox that has been through: sixty emails in the inbox, thirty elsewhere."""
    world.page_size = 10
    desk = world.mailbox()
    world.mailboxes[desk.address].create_folder("Zeta")
    for number in range(90):
        world.mailboxes[desk.address].deliver(mail(f"mail{number}"), "Inbox" if number < 60 else "Zeta")
    world.sync(desk)
    world.clock.turn(minutes=2)
    world.sync(desk)
    world.clock.turn(minutes=2)
    return desk


def moves_to_its_end(during: list[MailboxRow]) -> None:
    rows = [row for row in during if row.progress]
    done = [row.progress.done for row in rows]
    assert len(rows) >= len(during) - 1
    assert done == sorted(done)
    assert (done[0] <= 10, done[-1] >= 70) == (True, True)
    assert {row.progress.of for row in rows} == {90}
    assert any(row.progress.time_left for row in rows)
    assert any(row.standing.label == f"Working through {row.progress.done} of 90" for row in rows)


@pytest.mark.wording
def test_a_mailbox_that_is_listed_again_shows_how_far_it_is(world: World, filled):
    mailbox_actions.list_again(ADMIN, filled)
    assert seen(world).status == "waiting"
    moves_to_its_end(watched(world, filled))
    assert seen(world).status == "up_to_date"
    assert progress_of([seen(world)], world.clock()) == {}


@pytest.mark.wording
def test_a_mailbox_that_was_given_an_earlier_start_time_shows_how_far_it_is(world: World, filled):
    Mailbox.objects.update(start_at=world.clock() - timedelta(days=9000))
    moves_to_its_end(watched(world, filled))


@pytest.mark.wording
def test_a_mailbox_that_was_given_another_bucket_shows_how_far_it_is(world: World, filled):
    other, _ = Bucket.objects.get_or_create(destination=world.destination, project="bank", name="other")
    Mailbox.objects.update(bucket=other)
    moves_to_its_end(watched(world, filled))


@pytest.mark.wording
def test_a_mailbox_that_only_catches_up_with_new_mail_claims_no_progress_through_all_of_it(
    world: World, filled, settings
):
    for number in range(30):
        world.mailboxes[filled.address].deliver(mail(f"new{number}"))
    settings.SYNC_SLICE = timedelta(seconds=3)
    during = watched(world, filled)
    row = mailbox_rows([seen(world)], world.clock())[0]
    assert row.standing.label == "Waiting in queue"
    assert [one.progress for one in [*during, row]] == [None] * (len(during) + 1)


@pytest.mark.wording
def test_what_was_turned_away_is_worked_through_and_not_said_to_be_delivered(world: World, settings):
    desk = world.mailbox(start_at=world.clock() + timedelta(days=1))
    for number in range(30):
        world.mailboxes[desk.address].deliver(mail(f"mail{number}"))
    world.page_size = 10
    row = watched(world, desk)[1]
    assert (row.standing.label, row.figures.delivered) == ("Working through 20 of 30", 0)


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


@pytest.mark.wording
def test_a_mailbox_says_how_many_folders_were_read_in_a_pass_of_several_slices(world: World, settings):
    settings.SYNC_SLICE = timedelta(seconds=10)
    desk = with_folders(world, 25)
    slow(world, 1)
    assert pass_of(seen(world)) is None, "its folders are not known yet"
    told = []
    for _ in range(2):
        while world.sync(desk).outcome != "done":
            told.append(pass_of(seen(world)))
        assert pass_of(seen(world)) is None
    assert told == [Pass(9, 25), Pass(18, 25)] * 2
    assert told[0].sentence == "Folders: 9 of 25 in this pass."


def test_folders_that_were_read_before_other_mail_was_wanted_do_not_count(world: World, settings):
    settings.SYNC_SLICE = timedelta(seconds=10)
    desk = with_folders(world, 25)
    slow(world, 1)
    world.sync(desk)
    assert pass_of(seen(world)) == Pass(9, 25)
    Mailbox.objects.update(start_at=world.clock() - timedelta(days=9000))
    assert pass_of(seen(world)) == Pass(0, 25)
    mailbox_actions.stop(ADMIN, desk)
    assert pass_of(seen(world)) is None


@pytest.mark.wording
def test_a_mailbox_that_is_listed_again_shows_how_far_it_is_until_its_last_folder_is_through(
    world: World, filled, settings
):
    settings.SYNC_SLICE = timedelta(seconds=3)
    mailbox_actions.list_again(ADMIN, filled)
    during = watched(world, filled)
    while not seen(world).state.up_to_date:
        during += watched(world, filled)
    moves_to_its_end(during)
