"""Pages show the progress and the time left of a first sync and of a full resync."""

from datetime import timedelta

import pytest

from mailboxes.models import Bucket, Mailbox
from operations import mailbox_actions
from sync.models import SyncRun
from sync.reporting.mailbox_counters import MailboxRow, mailbox_rows
from sync.reporting.progress import Pass, Progress, pass_of, progress_of
from sync.reporting.status import JudgedMailbox, with_status
from tests.actors import ADMIN
from tests.mails import mail
from tests.sync.slow import slow, with_folders
from tests.sync.world import World


class Around:
    """The base class of wrappers for a port. Each subclass calls `then` during one method."""

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
    """A sink that calls `then` before each push, for example to advance the clock."""

    def push(self, comments):
        self._then()
        return self._port.push(comments)


class AfterPages(Around):
    """A source that calls `then` after each page."""

    def changes(self, folder, cursor):
        for page in self._port.changes(folder, cursor):
            yield page
            self._then()


def seen(world: World) -> JudgedMailbox:
    return with_status(
        Mailbox.objects.select_related("integration", "bucket__destination", "state"), world.clock()
    ).get()


@pytest.mark.wording
def test_a_first_sync_shows_the_processed_and_total_emails_and_the_time_left(world: World, settings):
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
    assert [row.summary.label for row in during][:2] == ["Listing", "Working through 10 of 100"]
    row = mailbox_rows([seen(world)], world.clock())[0]
    assert row.progress == Progress(40, 100, seconds_left=60.0)
    assert row.progress.time_left == "about 1 min left"
    Bucket.objects.update(held_until=world.clock() + timedelta(minutes=5))
    held = mailbox_rows([seen(world)], world.clock())[0]
    assert (held.summary.label, held.progress) == ("Paused until 08:05", Progress(40, 100))


def watched(world: World, desk: Mailbox) -> list[MailboxRow]:
    """Run one sync, and return the table row of the mailbox after each page."""
    during: list[MailboxRow] = []

    def look():
        world.clock.turn(seconds=2)
        during.append(mailbox_rows([seen(world)], world.clock())[0])

    world.wrap = lambda port, it: AfterPages(it, look) if port == "source" else it
    world.sync(desk)
    world.wrap = lambda port, it: it
    return during


@pytest.fixture
def filled(world: World) -> Mailbox:
    """An up-to-date mailbox with sixty emails in the inbox and thirty in another folder."""
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


def assert_progress_to_the_end(during: list[MailboxRow]) -> None:
    rows = [row for row in during if row.progress]
    done = [row.progress.done for row in rows]
    assert len(rows) >= len(during) - 1
    assert done == sorted(done)
    assert (done[0] <= 10, done[-1] >= 70) == (True, True)
    assert {row.progress.of for row in rows} == {90}
    assert any(row.progress.time_left for row in rows)
    assert any(row.summary.label == f"Working through {row.progress.done} of 90" for row in rows)


@pytest.mark.wording
def test_a_full_resync_shows_its_progress(world: World, filled):
    mailbox_actions.list_again(ADMIN, filled)
    assert seen(world).status == "waiting"
    assert_progress_to_the_end(watched(world, filled))
    assert seen(world).status == "up_to_date"
    assert progress_of([seen(world)], world.clock()) == {}


@pytest.mark.wording
def test_a_resync_after_an_earlier_start_time_shows_its_progress(world: World, filled):
    Mailbox.objects.update(start_at=world.clock() - timedelta(days=9000))
    assert_progress_to_the_end(watched(world, filled))


@pytest.mark.wording
def test_a_resync_into_another_bucket_shows_its_progress(world: World, filled):
    other, _ = Bucket.objects.get_or_create(destination=world.destination, project="bank", name="other")
    Mailbox.objects.update(bucket=other)
    assert_progress_to_the_end(watched(world, filled))


@pytest.mark.wording
def test_a_sync_of_new_mail_shows_no_progress(world: World, filled, settings):
    for number in range(30):
        world.mailboxes[filled.address].deliver(mail(f"new{number}"))
    settings.SYNC_SLICE = timedelta(seconds=3)
    during = watched(world, filled)
    row = mailbox_rows([seen(world)], world.clock())[0]
    assert row.summary.label == "Waiting in queue"
    assert [one.progress for one in [*during, row]] == [None] * (len(during) + 1)


@pytest.mark.wording
def test_rejected_emails_count_as_processed_but_not_as_delivered(world: World, settings):
    desk = world.mailbox(start_at=world.clock() + timedelta(days=1))
    for number in range(30):
        world.mailboxes[desk.address].deliver(mail(f"mail{number}"))
    world.page_size = 10
    row = watched(world, desk)[1]
    assert (row.summary.label, row.figures.delivered) == ("Working through 20 of 30", 0)


def test_a_running_sync_records_its_counts(world: World, settings):
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


def test_an_up_to_date_mailbox_shows_no_progress(world: World):
    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(mail("a"))
    world.sync(desk)
    assert progress_of([seen(world)], world.clock()) == {}


@pytest.mark.wording
def test_a_pass_of_several_slices_shows_the_number_of_folders_that_were_read(world: World, settings):
    settings.SYNC_SLICE = timedelta(seconds=10)
    desk = with_folders(world, 25)
    slow(world, 1)
    assert pass_of(seen(world)) is None, "its folders are not known yet"
    passes = []
    for _ in range(2):
        while world.sync(desk).outcome != "done":
            passes.append(pass_of(seen(world)))
        assert pass_of(seen(world)) is None
    assert passes == [Pass(9, 25), Pass(18, 25)] * 2
    assert passes[0].sentence == "Folders: 9 of 25 in this pass."


def test_folders_that_were_read_with_other_filters_are_not_counted(world: World, settings):
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
def test_a_full_resync_in_several_slices_shows_its_progress_to_the_end(world: World, filled, settings):
    settings.SYNC_SLICE = timedelta(seconds=3)
    mailbox_actions.list_again(ADMIN, filled)
    during = watched(world, filled)
    while not seen(world).state.up_to_date:
        during += watched(world, filled)
    assert_progress_to_the_end(during)
