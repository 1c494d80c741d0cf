"""Tests of the decision whether one email, Exchange, Re:infer or the database is at fault for a failed sync.

A wrong decision would make a dead letter of a good email, or stop a whole connection.
"""

from __future__ import annotations

import pytest
from django.db import OperationalError

from integrations import errors
from integrations.models import Destination
from mailboxes.models import Bucket, Mailbox
from sync.models import DeadLetter, LedgerEntry
from tests.faults.deadly import Died, Kills
from tests.mails import comment_id_of, mail
from tests.sync.jobs.test_two_workers import interrupted
from tests.sync.world import World


@pytest.fixture
def desk(world: World):
    mailbox = world.mailbox()
    world.mailboxes[mailbox.address].deliver(mail("a"))
    return mailbox


def try_hourly(world: World, mailbox: Mailbox, times: int) -> None:
    for _ in range(times):
        world.clock.turn(minutes=60)
        world.sync(mailbox)


# ---- outages ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [errors.ReinferFailed("HTTP 500"), errors.ReinferTimedOut()], ids=["500", "time-out"])
@pytest.mark.parametrize("emails", [1, 2, 5])
def test_an_outage_of_re_infer_for_a_day_makes_no_email_a_dead_letter(world: World, desk, error, emails):
    world.sync(desk)
    for number in range(emails):
        world.mailboxes[desk.address].deliver(mail(f"new{number}"))
    world.bucket().down = error
    try_hourly(world, desk, 24)
    assert not DeadLetter.objects.exists()
    world.bucket().down = None
    try_hourly(world, desk, 1)
    world.assert_all_is_well(["a", *(f"new{number}" for number in range(emails))])


def test_during_an_outage_retries_of_a_dead_letter_are_neither_counted_nor_delayed(world: World, desk):
    with world.every_sink(lambda sink: sink.refuse(comment_id_of("a"))):
        world.sync(desk)
    world.bucket().down = errors.ReinferFailed("HTTP 500")
    try_hourly(world, desk, 24)
    assert DeadLetter.objects.get().attempts == 1
    world.bucket().down = None
    try_hourly(world, desk, 1)
    world.assert_all_is_well(["a"])


def test_a_database_that_fails_repeatedly_makes_no_email_a_dead_letter(world: World, desk):
    with world.every_sink(lambda sink: sink.fail(OperationalError("canceling statement due to lock timeout"))):
        try_hourly(world, desk, 12)
    assert not DeadLetter.objects.exists()
    try_hourly(world, desk, 1)
    world.assert_all_is_well(["a"])


def test_a_half_open_trial_without_new_mail_closes_the_breaker_of_a_destination_only_if_re_infer_works(
    world: World, desk
):
    quiet = world.mailbox("quiet@bank.example")
    world.sync_all()
    world.mailboxes[desk.address].deliver(mail("b"))
    world.bucket().down = errors.ReinferTokenRefused("HTTP 401")
    world.sync(desk)
    since = Destination.objects.get().held_since
    assert since is not None
    world.clock.turn(minutes=30)
    world.sync(quiet)
    assert Destination.objects.get().held_since == since
    world.bucket().down = None
    world.sync(quiet)
    assert Destination.objects.get().held_since is None
    world.sync(desk)
    world.assert_all_is_well(["a", "b"])


def test_a_half_open_trial_without_new_mail_does_not_close_the_breaker_of_a_bucket_that_refused_comments(
    world: World, desk
):
    for number in range(12):
        world.mailboxes[desk.address].deliver(mail(f"new{number}"))
    quiet = world.mailbox("quiet@bank.example")
    names = ["a", *(f"new{number}" for number in range(12))]
    with world.every_sink(lambda sink: [sink.refuse(comment_id_of(name)) for name in names]):
        world.sync(desk)
        assert Bucket.objects.get().held_kind == errors.TooManyRefused.kind
        world.clock.turn(minutes=30)
        world.sync(quiet)
        assert Bucket.objects.get().held_kind == errors.TooManyRefused.kind
    world.sync(desk)
    assert not Bucket.objects.get().is_held


# ---- an email that crashes workers ------------------------------------------------------------------------------------


def sync_or_die(world: World, mailbox: Mailbox) -> bool:
    """Run one sync. Return False if the worker crashed."""
    try:
        world.sync(mailbox)
    except Died:
        return False
    return True


def test_an_email_that_crashes_workers_is_retried_at_growing_intervals_and_other_emails_arrive(world: World, desk):
    box = world.mailboxes[desk.address]
    broken = box.deliver(mail("broken"))
    box.break_item(broken, "ErrorItemCorrupt")
    deadly = box.deliver(mail("deadly"))
    world.wrap = lambda port, it: Kills(it, deadly) if port == "source" else it
    for _ in range(9):
        world.clock.turn(minutes=20)
        sync_or_die(world, desk)
    assert DeadLetter.objects.get(item_id=deadly).stage == "worker"
    box.mend_item(broken)
    survived = []
    for _ in range(48):
        world.clock.turn(minutes=30)
        survived.append(sync_or_die(world, desk))
    assert survived.count(False) <= 3, "at most the retries after one hour, four hours and one day end a worker"
    world.assert_all_is_well(["a", "broken"])


# ---- one email in two mailboxes ---------------------------------------------------------------------------------------


@pytest.fixture
def two(world: World):
    one, other = world.mailbox("one@bank.example"), world.mailbox("other@bank.example")
    for mailbox in (one, other):
        world.mailboxes[mailbox.address].deliver(mail("x", to="one@bank.example, other@bank.example"))
    return one, other


@pytest.mark.parametrize("how", ["its item is deleted", "its mailbox is deleted"])
def test_a_deferred_comment_arrives_although_the_worker_that_was_pushing_it_crashed(world: World, two, how):
    one, other = two
    third = world.mailbox("third@bank.example")

    def dies():
        world.sync(other)  # the push of `one` is in flight, so this sync defers the comment
        raise Died

    interrupted(world, "sink.push", dies)
    with pytest.raises(Died):
        world.sync(one)
    world.wrap = lambda port, it: it
    world.clock.turn(minutes=30)
    if how == "its item is deleted":
        box = world.mailboxes[one.address]
        box.delete(next(iter(box.folder("Inbox").items)))
        world.sync(one)
    else:
        one.delete()
        world.sync(third)
    world.clock.turn(minutes=30)
    world.sync(other)
    world.assert_all_is_well(["x"])


# ---- dead letters and refused comments --------------------------------------------------------------------------------


def test_a_dead_letter_that_is_no_longer_wanted_is_not_delivered_by_its_retry(world: World, desk):
    box = world.mailboxes[desk.address]
    item = next(iter(box.folder("Inbox").items))
    box.break_item(item, "ErrorItemCorrupt")
    world.sync(desk)
    assert DeadLetter.objects.get().settled == ""
    box.mend_item(item)
    Mailbox.objects.filter(pk=desk.pk).update(start_at=world.clock())
    world.clock.turn(hours=3)
    world.sync(Mailbox.objects.get(pk=desk.pk))
    assert DeadLetter.objects.get().settled == "unwanted"
    assert not world.bucket().comments


@pytest.mark.parametrize("start", [False, True], ids=["all mail", "a later start time"])
def test_an_email_that_was_not_found_after_a_rename_of_its_folder_gets_the_new_path_later(world: World, desk, start):
    box = world.mailboxes[desk.address]
    world.sync(desk)
    (item,) = box.folder("Inbox").items
    box.create_folder("Deals")
    box.move(item, "Deals")
    world.sync(desk)
    (item,) = box.folder("Deals").items
    box.rename_folder("Deals", "Trades")
    box.break_item(item, "ErrorItemNotFound")
    if start:
        Mailbox.objects.filter(pk=desk.pk).update(start_at=world.clock())
    world.sync(Mailbox.objects.get(pk=desk.pk))
    assert world.folder_of("a") == "Deals"
    box.mend_item(item)
    try_hourly(world, Mailbox.objects.get(pk=desk.pk), 3)
    assert world.folder_of("a") == "Trades"
    world.assert_all_is_well(["a"])


def test_the_entry_of_a_comment_that_arrived_stays_when_its_first_update_is_refused(world: World, desk):
    box = world.mailboxes[desk.address]
    box.create_folder("Done")

    def dies():
        raise Died

    interrupted(world, "sink.push", dies, after=True)
    with pytest.raises(Died):
        world.sync(desk)
    world.wrap = lambda port, it: it
    box.move(next(iter(box.folder("Inbox").items)), "Done")
    world.clock.turn(minutes=30)
    with world.every_sink(lambda sink: sink.refuse(comment_id_of("a"))):
        world.sync(desk)
    assert LedgerEntry.objects.exists()
    try_hourly(world, desk, 3)
    world.assert_all_is_well(["a"])
    assert len({comment.message.body for comment in world.bucket().writes[comment_id_of("a")]}) == 1


# ---- a mailbox that is deleted during its sync ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", [errors.ReinferFailed("HTTP 500"), RuntimeError("Dear Ann")], ids=["named", "unforeseen"]
)
def test_deleting_a_mailbox_while_its_sync_fails_raises_no_error(world: World, desk, error):
    def deletes_and_fails(comments):
        Mailbox.objects.all().delete()
        raise error

    with world.every_sink(lambda sink: setattr(sink, "before_push", deletes_and_fails)):
        assert world.sync(desk).outcome == "failed"
