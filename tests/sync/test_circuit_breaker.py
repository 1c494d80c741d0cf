"""An upgrade that makes every comment unacceptable stops the bucket, and costs nobody an email."""

from __future__ import annotations

import pytest

from integrations import errors
from mailboxes.models import Bucket
from operations import bucket_actions, failed_email_actions, mailbox_actions
from operations.results import ActionRefused
from sync.models import DeadLetter, SyncRun
from tests.actors import ADMIN
from tests.mails import comment_id_of, mail
from tests.sync.world import World

NAMES = [f"m{number}" for number in range(30)]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(db) -> World:
    return World(page_size=40)


@pytest.fixture
def desk(world):
    desk = world.mailbox()
    for name in NAMES:
        world.mailboxes[desk.address].deliver(mail(name))
    return desk


def refuse(world: World, names):
    """From now on the bucket refuses these."""
    usual = world.open_sink

    def refusing(*given):
        sink = usual(*given)
        for name in names:
            sink.refuse(comment_id_of(name))
        return sink

    world.open_sink = refusing
    return usual


def test_when_all_is_refused_the_bucket_stops_and_nothing_is_set_aside(world: World, desk):
    refuse(world, NAMES)
    run = world.sync(desk)
    assert (run.outcome, run.error_kind) == (SyncRun.Outcome.FAILED, "too_many_refused")
    assert not DeadLetter.objects.exists()
    bucket = Bucket.objects.get()
    assert bucket.is_held
    assert bucket.held_kind == "too_many_refused"


def test_a_later_probe_finds_that_it_is_mended_and_everything_arrives(world: World, desk):
    usual = refuse(world, NAMES)
    world.sync(desk)
    world.open_sink = usual
    world.clock.turn(minutes=21)
    assert world.due() == [desk.pk]
    world.sync(desk)
    world.assert_all_is_well(NAMES)
    assert not Bucket.objects.get().is_held


def test_a_probe_that_is_refused_holds_it_on_and_sets_nothing_aside(world: World, desk):
    refuse(world, NAMES)
    world.sync(desk)
    world.clock.turn(minutes=21)
    world.sync(desk)
    assert Bucket.objects.get().is_held
    assert not DeadLetter.objects.exists()


def test_one_click_resumes_and_then_what_is_refused_is_set_aside(world: World, desk):
    refuse(world, NAMES[:15])
    world.sync(desk)
    bucket_actions.resume(ADMIN, Bucket.objects.get(), world.clock)
    run = world.sync(desk)
    assert run.outcome == SyncRun.Outcome.DONE
    assert DeadLetter.objects.count() == 15
    world.assert_all_is_well(NAMES[15:])


def test_the_pardon_ends_after_a_day(world: World, desk):
    refuse(world, NAMES)
    world.sync(desk)
    bucket_actions.resume(ADMIN, Bucket.objects.get(), world.clock)
    world.clock.turn(hours=25)
    assert world.sync(desk).error_kind == "too_many_refused"


def test_emails_that_were_set_aside_before_do_not_stop_it_when_they_are_refused_again(world: World, desk):
    refuse(world, NAMES[:9])
    world.sync(desk)
    for _ in range(5):
        world.clock.turn(days=8)
        assert world.sync(desk).outcome == SyncRun.Outcome.DONE
    assert DeadLetter.objects.filter(attempts__gt=3).count() == 9


def test_many_set_aside_emails_are_tried_again_at_once(world: World, desk):
    usual = refuse(world, NAMES[:9])
    world.sync(desk)
    world.open_sink = usual
    told = failed_email_actions.retry_many(ADMIN, DeadLetter.objects.all(), world.clock)
    assert isinstance(told, str)
    assert "9" in told
    world.sync(desk)
    world.assert_all_is_well(NAMES)
    assert isinstance(failed_email_actions.retry_many(ADMIN, DeadLetter.objects.all(), world.clock), ActionRefused)


def test_after_an_upgrade_of_the_transform_what_was_refused_is_tried_again_by_itself(world: World, desk):
    usual = refuse(world, NAMES[:3])
    world.sync(desk)
    DeadLetter.objects.update(transform_version=0)
    world.open_sink = usual
    world.sync(desk)
    world.assert_all_is_well(NAMES)


@pytest.mark.parametrize("stage", ["fetch", "push"])
def test_one_leftover_over_which_a_server_falls_ends_no_sync(world: World, desk, stage):
    refuse(world, NAMES[:2])
    world.sync(desk)
    usual = world.open_sink

    def falls(*given):
        sink = usual(*given)
        sink.poison(comment_id_of(NAMES[0]), errors.ReinferFailed("HTTP 500"))
        return sink

    world.open_sink = falls
    world.clock.turn(hours=2)
    world.mailboxes[desk.address].deliver(mail("new"))
    assert world.sync(desk).outcome == SyncRun.Outcome.DONE
    assert comment_id_of("new") in world.bucket().comments
    world.clock.turn(minutes=1)
    assert world.sync(desk).outcome == SyncRun.Outcome.DONE


def test_of_many_queued_mailboxes_only_the_first_and_one_probe_ask_with_a_wrong_password(world: World):
    desks = [world.mailbox(f"desk{number}@bank.example") for number in range(5)]
    for box in world.mailboxes.values():
        box.fail("folders", errors.SignInRefused(), times=10)
    queued = world.due()
    assert len(queued) == 5
    for desk in desks:
        world.run(desk)
    assert len(world.sources) == 2, "the others were queued before the hold began"
    assert SyncRun.objects.count() == 2


def test_a_running_sync_stops_between_two_batches_when_its_connection_is_held(world: World, settings):
    settings.FETCH_COUNT = 1
    world.page_size = 1
    one, other = world.mailbox("one@bank.example"), world.mailbox("other@bank.example")
    for name in "abc":
        world.mailboxes[one.address].deliver(mail(name))
    world.mailboxes[other.address].fail("folders", errors.SignInRefused())
    usual = world.open_sink

    def meanwhile(*given):
        sink = usual(*given)
        sink.before_push = lambda comments: world.run(other)
        return sink

    world.open_sink = meanwhile
    assert world.run(one).outcome == SyncRun.Outcome.YIELDED
    assert len(world.bucket().comments) == 1


def test_a_password_that_was_refused_elsewhere_meanwhile_is_not_tried_with_the_next_folder(world: World):
    one, other = world.mailbox("one@bank.example"), world.mailbox("other@bank.example")
    box = world.mailboxes[one.address]
    box.create_folder("Trades")
    box.deliver(mail("a"))
    box.deliver(mail("b"), "Trades")
    world.mailboxes[other.address].fail("folders", errors.SignInRefused())
    usual = world.open_sink

    def meanwhile(*given):
        sink = usual(*given)
        sink.before_push = lambda comments: (world.run(other), box.fail("changes", errors.SignInRefused()))
        return sink

    world.open_sink = meanwhile
    assert world.run(one).outcome == SyncRun.Outcome.YIELDED
    assert len(world.bucket().comments) == 1


def test_a_person_may_press_sync_now_although_it_is_held(world: World):
    desk = world.mailbox()
    world.mailboxes[desk.address].fail("folders", errors.SignInRefused())
    world.sync(desk)
    assert world.run(desk) is None
    assert world.sync(desk).outcome == SyncRun.Outcome.DONE


def test_an_email_that_exchange_could_not_find_for_a_moment_is_looked_for_again_and_arrives(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    item = box.deliver(mail("ghost"))
    box.deliver(mail("other"))
    box.break_item(item, "ErrorItemNotFound")
    world.sync(desk)
    assert not DeadLetter.objects.waiting().exists(), "most of them were moved or deleted: nobody needs to be told"
    box.mend_item(item)
    world.clock.turn(hours=2)
    world.sync(desk)
    world.assert_all_is_well(["ghost", "other"])


def test_a_ghost_is_given_up_after_three_looks_and_found_when_its_folder_is_listed_again(world: World):
    desk = world.mailbox()
    box = world.mailboxes[desk.address]
    item = box.deliver(mail("ghost"))
    box.break_item(item, "ErrorItemNotFound")
    for _ in range(4):
        world.sync(desk)
        world.clock.turn(days=2)
    assert DeadLetter.objects.get().settled == "gone"
    box.mend_item(item)
    mailbox_actions.list_again(ADMIN, desk)
    world.sync(desk)
    world.assert_all_is_well(["ghost"])
