"""Whose fault it is: of one email, of one side as a whole, or of nobody. Whoever is blamed wrongly waits."""

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


# ---- a side that is down ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [errors.ReinferFailed("HTTP 500"), errors.ReinferTimedOut()], ids=["500", "time-out"])
@pytest.mark.parametrize("emails", [1, 2, 5])
def test_re_infer_that_answers_nothing_but_errors_for_a_day_sets_no_email_aside(world: World, desk, error, emails):
    world.sync(desk)
    for number in range(emails):
        world.mailboxes[desk.address].deliver(mail(f"new{number}"))
    world.bucket().down = error
    try_hourly(world, desk, 24)
    assert not DeadLetter.objects.exists()
    world.bucket().down = None
    try_hourly(world, desk, 1)
    world.assert_all_is_well(["a", *(f"new{number}" for number in range(emails))])


def test_an_email_that_waits_set_aside_waits_no_longer_for_an_outage_in_which_it_could_not_be_tried(world: World, desk):
    with world.every_sink(lambda sink: sink.refuse(comment_id_of("a"))):
        world.sync(desk)
    world.bucket().down = errors.ReinferFailed("HTTP 500")
    try_hourly(world, desk, 24)
    assert DeadLetter.objects.get().attempts == 1
    world.bucket().down = None
    try_hourly(world, desk, 1)
    world.assert_all_is_well(["a"])


def test_a_database_that_fails_again_and_again_blames_no_email(world: World, desk):
    with world.every_sink(lambda sink: sink.fail(OperationalError("canceling statement due to lock timeout"))):
        try_hourly(world, desk, 12)
    assert not DeadLetter.objects.exists()
    try_hourly(world, desk, 1)
    world.assert_all_is_well(["a"])


def test_a_probe_without_mail_does_not_say_that_re_infer_is_well(world: World, desk):
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


def test_while_almost_all_was_refused_a_probe_without_mail_does_not_resume(world: World, desk):
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


# ---- an email that ends workers ---------------------------------------------------------------------------------------


def sync_or_die(world: World, mailbox: Mailbox) -> bool:
    """Whether the worker lived."""
    try:
        world.sync(mailbox)
    except Died:
        return False
    return True


def test_an_email_that_ends_workers_does_so_at_growing_intervals_and_the_mailbox_goes_on(world: World, desk):
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
    lived = []
    for _ in range(48):
        world.clock.turn(minutes=30)
        lived.append(sync_or_die(world, desk))
    assert lived.count(False) <= 3, "an hour later, four hours later, and no more on this day"
    world.assert_all_is_well(["a", "broken"])


# ---- one email in two mailboxes ---------------------------------------------------------------------------------------


@pytest.fixture
def two(world: World):
    one, other = world.mailbox("one@bank.example"), world.mailbox("other@bank.example")
    for mailbox in (one, other):
        world.mailboxes[mailbox.address].deliver(mail("x", to="one@bank.example, other@bank.example"))
    return one, other


@pytest.mark.parametrize("how", ["its copy is deleted", "its mailbox is deleted"])
def test_an_email_that_was_left_to_another_mailbox_arrives_although_its_first_worker_died(world: World, two, how):
    one, other = two
    third = world.mailbox("third@bank.example")

    def dies():
        world.sync(other)  # it meets the push in flight, and leaves it to be told later
        raise Died

    interrupted(world, "sink.push", dies)
    with pytest.raises(Died):
        world.sync(one)
    world.wrap = lambda port, it: it
    world.clock.turn(minutes=30)
    if how == "its copy is deleted":
        box = world.mailboxes[one.address]
        box.delete(next(iter(box.folder("Inbox").items)))
        world.sync(one)
    else:
        one.delete()
        world.sync(third)
    world.clock.turn(minutes=30)
    world.sync(other)
    world.assert_all_is_well(["x"])


# ---- what is set aside and what is refused ----------------------------------------------------------------------------


def test_an_email_that_nobody_wants_any_more_is_not_delivered_when_its_next_try_is_due(world: World, desk):
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


@pytest.mark.parametrize("start", [False, True], ids=["all mail", "a start time since"])
def test_an_email_that_could_not_be_found_when_its_folder_was_renamed_gets_the_new_name_all_the_same(
    world: World, desk, start
):
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


def test_a_comment_that_arrived_is_not_forgotten_when_its_first_update_is_refused(world: World, desk):
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


# ---- a mailbox that goes while its sync fails -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", [errors.ReinferFailed("HTTP 500"), RuntimeError("Dear Ann")], ids=["named", "unforeseen"]
)
def test_a_mailbox_that_is_deleted_while_its_sync_fails_ends_no_task(world: World, desk, error):
    def deletes_and_fails(comments):
        Mailbox.objects.all().delete()
        raise error

    with world.every_sink(lambda sink: setattr(sink, "before_push", deletes_and_fails)):
        assert world.sync(desk).outcome == "failed"
