"""A verification counts missing, outdated and surplus comments.

A repair creates missing comments again, and updates outdated properties. Only the created comments cost AI units.
"""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from integrations import errors
from integrations.messages import CommentId
from sync.jobs import verification
from sync.jobs.runner import RunEnvironment
from sync.models import MailboxItem, Verification
from tests.mails import comment_id_of, mail
from tests.sync.world import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(db) -> World:
    return World(page_size=2)


@pytest.fixture
def desk(world):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    box.create_folder("Trades", parent="Inbox")
    for name in "abcde":
        box.deliver(mail(name), "Trades" if name in "de" else "Inbox")
    box.deliver(mail("junk"), "Junk Email")
    world.sync(desk)
    return desk


def verified(world: World, desk, *, repair: bool = False) -> Verification:
    row = verification.begin(desk, repair=repair, clock=world.clock)
    return verification.run_to_end(row.pk, lambda row: None, world.around())


@pytest.mark.wording
def test_a_verification_without_differences_counts_every_email_as_correct(world: World, desk):
    row = verified(world, desk)
    assert (row.emails, row.well, row.missing, row.outdated, row.surplus) == (5, 5, 0, 0, 0)
    assert row.sentence == "5 emails in 3 folders compared: 5 correct."


def test_comments_deleted_in_re_infer_are_missing_and_a_repair_pushes_only_those_again(world: World, desk):
    bucket = world.bucket()
    for name in "ad":
        del bucket.comments[CommentId(comment_id_of(name))]
    row = verified(world, desk)
    assert (row.well, row.missing) == (3, 2)
    world.sync(desk)
    assert len(bucket.comments) == 3, "a verification without repair changes nothing"
    assert verified(world, desk, repair=True).missing == 2
    world.sync(desk)
    assert len(bucket.comments) == 5
    assert bucket.billed == 7
    assert verified(world, desk).well == 5


def test_a_property_changed_in_re_infer_is_outdated_and_repaired_without_ai_units(world: World, desk):
    bucket, changed = world.bucket(), CommentId(comment_id_of("b"))
    comment = bucket.comments[changed]
    bucket.comments[changed] = replace(comment, properties={**comment.properties, "string:Folder": "Elsewhere"})
    assert verified(world, desk).outdated == 1
    verified(world, desk, repair=True)
    world.sync(desk)
    assert world.folder_of("b") == "Inbox"
    assert (bucket.billed, bucket.text_changes) == (5, 0)


def test_a_comment_whose_email_was_deleted_is_surplus_and_kept(world: World, desk):
    box = world.mailboxes[desk.address]
    box.delete(next(iter(box.folder("Inbox").items)))
    world.sync(desk)
    row = verified(world, desk, repair=True)
    assert (row.emails, row.surplus, row.missing) == (4, 1, 0)
    assert len(world.bucket().comments) == 5


def test_an_email_that_has_just_arrived_counts_as_waiting(world: World, desk):
    world.mailboxes[desk.address].deliver(mail("new"), received=world.clock())
    assert (verified(world, desk).waiting, verified(world, desk).missing) == (1, 0)


def test_a_slice_continues_where_the_last_one_ended_and_counts_nothing_twice(world: World, desk, settings):
    settings.SYNC_SLICE *= 0  # shorter than one request
    row = verification.begin(desk, repair=False, clock=world.clock)
    slices = 0
    while Verification.objects.get(pk=row.pk).ended_at is None:
        verification.run_slice(row.pk, world.around())
        slices += 1
        world.clock.turn(seconds=1)
        assert slices < 50
    row.refresh_from_db()
    assert (row.emails, row.well) == (5, 5)


def test_a_folder_whose_cursor_is_refused_in_the_middle_is_counted_once(world: World, desk, settings):
    settings.SYNC_SLICE *= 0
    row = verification.begin(desk, repair=False, clock=world.clock)
    settings.SYNC_SLICE = type(settings.SYNC_SLICE)(microseconds=1)
    wrap, world.wrap = world.wrap, ending_after_a_page(world)
    while not row.cursor:
        verification.run_slice(row.pk, world.around())
        row.refresh_from_db()
        assert row.ended_at is None
    world.wrap = wrap
    world.mailboxes[desk.address].forget_cursors()
    row = verification.run_to_end(row.pk, lambda row: None, world.around())
    assert (row.emails, row.well) == (5, 5)


def ending_after_a_page(world: World):
    """Return a function for `World.wrap`. It wraps a source, so that each page takes longer than a slice."""

    class Slow:
        def __init__(self, it):
            self._it = it

        def __getattr__(self, name):
            return getattr(self._it, name)

        def changes(self, folder, after):
            for page in self._it.changes(folder, after):
                world.clock.turn(seconds=1)
                yield page

        def __enter__(self):
            return self

        def __exit__(self, *exc):
            return None

    return lambda port, it: Slow(it) if port == "source" else it


def test_after_a_busy_error_a_verification_waits_for_the_requested_time(world: World, desk):
    row = verification.begin(desk, repair=False, clock=world.clock)
    world.mailboxes[desk.address].fail("changes", errors.ExchangeBusy(retry_after=world.clock.minutes(5)))
    verification.run_slice(row.pk, world.around())
    assert verification.due(world.clock()) == []
    world.clock.turn(minutes=6)
    assert verification.due(world.clock()) == [row.pk]
    assert verification.run_to_end(row.pk, lambda row: None, world.around()).well == 5


def test_one_worker_at_a_time_runs_a_verification_and_another_worker_continues_after_the_first_died(world: World, desk):
    row = verification.begin(desk, repair=False, clock=world.clock)
    Verification.objects.update(claimed_until=world.clock())
    world.clock.turn(seconds=-1)
    assert verification.run_slice(row.pk, world.around()) is None
    world.clock.turn(minutes=10)
    assert verification.run_slice(row.pk, world.around()).ended_at is not None


@pytest.mark.wording
def test_the_command_suggests_the_address_for_a_wrong_name(desk):
    with pytest.raises(CommandError, match=r"There is no mailbox desk@bank\. Did you mean desk@bank\.example"):
        call_command("verify", "desk@bank", stdout=StringIO())


def between(world: World, press) -> RunEnvironment:
    """Return the environment of a slice. This environment calls `press` once, right after the slice has begun."""
    pressed = iter([press])

    def monotonic() -> float:
        next(pressed, lambda: None)()
        return 0.0

    return replace(world.around(), monotonic=monotonic)


def test_a_running_verification_can_be_stopped_and_stays_stopped(world: World, desk):
    row = verification.begin(desk, repair=False, clock=world.clock)
    verification.run_slice(row.pk, between(world, lambda: verification.stop(desk, world.clock)))
    row.refresh_from_db()
    assert row.ended_at is not None
    assert row.sentence == verification.STOPPED
    assert verification.due(world.clock()) == []
    assert not verification.stop(desk, world.clock), "no verification is running any more"


def test_a_new_verification_is_not_overwritten_by_the_previous_one(world: World, desk):
    row = verification.begin(desk, repair=False, clock=world.clock)

    def again() -> None:
        world.clock.turn(seconds=1)
        verification.begin(desk, repair=True, clock=world.clock)

    verification.run_slice(row.pk, between(world, again))
    new = Verification.objects.get(pk=row.pk)
    assert (new.repair, new.emails, new.ended_at) == (True, 0, None)


def test_emails_of_a_stopped_repair_are_pushed_by_the_next_sync(world: World, desk):
    world.bucket().comments.clear()
    row = verification.begin(desk, repair=True, clock=world.clock)
    verification.run_slice(row.pk, between(world, lambda: verification.stop(desk, world.clock)))
    assert MailboxItem.objects.filter(mailbox=desk).count() < 6, "the repair deleted some items before it was stopped"
    world.sync(desk)
    assert MailboxItem.objects.filter(mailbox=desk).count() == 6
    assert world.bucket().comments


def command(*given: str) -> tuple[int, str]:
    """Run the command `verify`, and return its exit code and its output or error."""
    out = StringIO()
    try:
        call_command("verify", *given, stdout=out, stderr=StringIO())
    except CommandError as error:
        return error.returncode, str(error)
    return 0, out.getvalue()


@pytest.fixture
def by_command(world: World, monkeypatch):
    """Return a function that runs the command `verify` with the fakes of `world`."""
    around = world.around
    original = verification.run_slice
    monkeypatch.setattr(
        verification, "run_slice", lambda pk, environment=None, **named: original(pk, around(), **named)
    )
    return command


@pytest.mark.parametrize("repair", [(), ("--repair",)], ids=["compare", "repair"])
@pytest.mark.wording
def test_the_command_fails_for_a_mailbox_that_was_never_synced(world: World, by_command, repair):
    desk = world.mailbox()
    world.mailboxes[desk.address].deliver(mail("a"))
    code, text = by_command(desk.address, *repair)
    assert (code, verification.NEVER_SYNCED in text) == (1, True)
    assert "Folders read: 2, emails: 1." in text
    row = Verification.objects.get()
    assert row.sentence == verification.NEVER_SYNCED, "the page and the API show the same text"
    assert row.ended_at is not None


@pytest.mark.wording
@pytest.mark.parametrize("repair", [(), ("--repair",)], ids=["compare", "repair"])
def test_the_command_fails_for_a_mailbox_that_exchange_does_not_know(world: World, desk, by_command, repair):
    del world.mailboxes[desk.address]
    code, text = by_command(desk.address, *repair)
    assert code == 1
    assert str(errors.MailboxNotFound()) in text
    assert "Folders read: 0, emails: 0." in text


@pytest.mark.parametrize("repair", [(), ("--repair",)], ids=["compare", "repair"])
def test_the_command_fails_for_an_empty_bucket(world: World, desk, by_command, repair):
    world.bucket().comments.clear()
    code, _ = by_command(desk.address, *repair)
    assert code == 2
    assert Verification.objects.get().is_none_there


@pytest.mark.parametrize("repair", [(), ("--repair",)], ids=["compare", "repair"])
@pytest.mark.wording
def test_the_command_fails_for_a_mailbox_without_wanted_emails(world: World, desk, by_command, repair):
    box = world.mailboxes[desk.address]
    for name in ("Inbox", "Trades"):
        for item in list(box.folder(name).items):
            box.delete(item)
    assert by_command(desk.address, *repair) == (1, f"{verification.NONE_WANTED} Folders read: 3, emails: 0.")


@pytest.mark.wording
def test_the_command_fails_for_a_mailbox_without_readable_folders(world: World, desk, by_command):
    for name in ("Inbox", "Trades", "Sent Items"):
        world.mailboxes[desk.address].forbid_folder(name)
    assert by_command(desk.address) == (1, f"{verification.NO_FOLDER} Folders read: 0, emails: 0.")


@pytest.mark.wording
def test_the_command_succeeds_without_differences_and_prints_what_was_compared(world: World, desk, by_command):
    assert by_command(desk.address) == (0, "5 emails in 3 folders compared: 5 correct.\n")


def test_folders_are_requested_again_including_those_that_no_sync_has_listed(world: World, desk):
    box = world.mailboxes[desk.address]
    box.create_folder("New", parent="Inbox")
    box.deliver(mail("n"), "New")
    box.delete_folder("Trades")
    row = verified(world, desk)
    assert (row.folders, row.emails, row.well, row.waiting) == (3, 4, 3, 1)


def test_an_email_that_no_change_report_contained_is_missing_and_a_repair_pushes_it(world: World, desk):
    world.mailboxes[desk.address].deliver(mail("lost"), reported=False)
    row = verified(world, desk, repair=True)
    assert (row.emails, row.well, row.missing) == (6, 5, 1)
    world.sync(desk)
    assert comment_id_of("lost") in world.bucket().comments
    assert world.bucket().billed == 6
